"""Golden files as tests write and read them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.errors import UsageError
from eval_pipeline.text_eval.golden.files import read_golden
from eval_pipeline.text_eval.golden.row import GoldenRow

Reader = Callable[[Path], object]


def write(folder: Path, content: str | bytes, *, name: str = "golden.csv") -> Path:
    """Write exactly these bytes, or this text as UTF-8."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def usable(path: Path) -> list[GoldenRow]:
    """Return the rows that can be asked."""
    return [entry for entry in read_golden(path).entries() if isinstance(entry, GoldenRow)]


def skipped(path: Path) -> list[tuple[int, str]]:
    """Return the other rows: line and reason."""
    return [(entry.line, entry.reason) for entry in read_golden(path).entries() if isinstance(entry, SkippedRow)]


def refusal(path: Path) -> str:
    """Return what is said about a file that cannot be used."""
    with pytest.raises(UsageError) as caught:
        list(read_golden(path).entries())
    assert caught.value.code == "invalid_dataset"
    assert caught.value.hint
    return caught.value.message.removeprefix("the golden file cannot be used: ")
