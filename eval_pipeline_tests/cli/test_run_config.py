from pathlib import Path

import pytest

from eval_pipeline.cli.run_config import read_config
from eval_pipeline.core.errors import UsageError


def test_no_file_and_an_empty_file_set_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty.yaml"
    empty.write_text("# nothing yet\n")

    assert read_config(None) == {}
    assert read_config(empty) == {}


def test_a_mapping_is_read_as_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("dataset: क्लिप\nmodels: [gemini-2.5-flash, whisper-1]\nconcurrency: 4\n", encoding="utf-8")

    assert read_config(file) == {"dataset": "क्लिप", "models": ["gemini-2.5-flash", "whisper-1"], "concurrency": 4}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"dataset: clips\nmodels: [a", "line 2"),
        (b"a: {? [b] : c}", "line 1"),
        (b"- dataset", "no mapping"),
        (b"dataset", "no mapping"),
        (b"5: clips", "no mapping"),
        (b"dataset: 2026-13-45", "cannot read"),
        (b"[" * 3000, "cannot read"),
        (b"dataset: \xff\xfe", "cannot read"),
        (b"dataset: \x00", "is not YAML"),
        (b"!!python/object:os.system {}", "line 1"),
    ],
)
def test_a_file_that_is_no_configuration_is_told_with_its_name(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "run.yaml"
    file.write_bytes(content)

    with pytest.raises(UsageError) as caught:
        read_config(file)

    assert caught.value.code == "invalid_config"
    assert words in caught.value.message
    assert str(file) in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("name", ["nowhere.yaml", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_config(tmp_path / name)
