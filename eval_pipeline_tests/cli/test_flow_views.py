import pytest

from eval_pipeline.cli.flow_views import write_plainly, writer_of
from eval_pipeline.core.runs import Flow


@pytest.mark.parametrize(("flow", "word"), [(Flow.TEXT, "text"), (Flow.STT, "stt")])
def test_every_flow_is_written_by_its_own_view(flow: Flow, word: str) -> None:
    assert writer_of(flow).__module__ == f"eval_pipeline.cli.{word}_view"


def test_a_flow_without_a_view_of_its_own_is_written_in_the_words_that_all_share(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_plainly(
        {
            "run": "first",
            "state": "completed",
            "mode": "fast",
            "dataset": {"name": "gold\x1b[2J", "version": "0123456789abcdef"},
            "counts": {"ok": 1_200, "failed": 2},
            "cost": None,
            "report": "file:///report.html",
            "warnings": [{"message": "no price"}],
        }
    )

    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "first: completed (fast)",
        "dataset gold\\x1b[2J @ 0123456789ab",
        "items 1,200 ok, 2 failed",
        "cost nothing yet",
        "report file:///report.html",
    ]
    assert "no price" in told.err
