"""Progress as lines of the run's log."""

import logging
from decimal import Decimal

import pytest

from eval_pipeline.defs.progress import LogProgress


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def test_a_stage_tells_its_first_and_its_last_item_and_few_between(lines: pytest.LogCaptureFixture) -> None:
    progress = LogProgress(logging.getLogger("test"))

    for done in range(1_001):
        progress.update(stage="responses", done=done, failed=0, total=1_000, cost_usd=Decimal("0.5"))

    assert len(lines.messages) == 2
    assert lines.messages[0].startswith("responses: 0 of 1,000 done, 0 failed")
    assert lines.messages[1].startswith("responses: 1,000 of 1,000 done")
    assert lines.messages[1].endswith("$0.5000")


def test_the_next_stage_begins_a_line_of_its_own(lines: pytest.LogCaptureFixture) -> None:
    progress = LogProgress(logging.getLogger("test"))

    progress.update(stage="responses", done=1, failed=0, total=5, cost_usd=None)
    progress.update(stage="embeddings", done=1, failed=0, total=5, cost_usd=None)

    assert [line.split(":")[0] for line in lines.messages] == ["responses", "embeddings"]
    assert "$" not in lines.text
