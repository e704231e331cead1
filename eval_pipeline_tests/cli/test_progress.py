"""What a person sees while a run is under way: lines where there is no terminal, a bar where there is one."""

from decimal import Decimal
from io import StringIO

import pytest

from eval_pipeline.cli.progress import PlainProgress, show_progress


def test_plain_progress_tells_the_end_of_a_stage_with_cost_and_failures(capsys: pytest.CaptureFixture[str]) -> None:
    progress = PlainProgress()
    progress.update(stage="responses", done=0, failed=0, total=2, cost_usd=None)
    progress.update(stage="responses", done=1, failed=1, total=2, cost_usd=Decimal("0.5"))
    progress.update(stage="responses", done=2, failed=1, total=2, cost_usd=Decimal("1.25"))
    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == 1
    assert lines[0].startswith("responses: 2/2 done, 1 failed, ")
    assert lines[0].endswith("/s, $1.2500")


def test_a_stage_that_was_finished_before_has_no_speed(capsys: pytest.CaptureFixture[str]) -> None:
    PlainProgress().update(stage="embeddings", done=4, failed=0, total=4, cost_usd=None)

    assert capsys.readouterr().err == "embeddings: 4/4 done, 0 failed\n"


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
