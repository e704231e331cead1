"""What a person sees while a run is under way: lines where there is no terminal, a bar where there is one."""

from decimal import Decimal
from io import StringIO

import pytest

from eval_pipeline.cli.progress import show_progress


def test_without_a_terminal_the_end_of_a_stage_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress(StringIO()) as progress:
        progress.update(stage="responses", done=0, failed=0, total=2, cost_usd=None)
        progress.update(stage="responses", done=2, failed=1, total=2, cost_usd=Decimal("1.25"))
    written = capsys.readouterr()

    assert written.out == ""
    assert written.err.startswith("responses: 2/2 done, 1 failed, ")


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress(_Terminal()) as progress:
        progress.update(stage="responses", done=1, failed=0, total=2, cost_usd=Decimal(1))
        progress.update(stage="responses", done=2, failed=1, total=2, cost_usd=Decimal(2))
    written = capsys.readouterr()

    assert written.out == ""
    assert "responses" in written.err
    assert "2/2" in written.err
    assert "1 failed" in written.err
