"""Progress as lines: few, and always the last one."""

from decimal import Decimal

from eval_pipeline.core.progress import ProgressLines


def test_a_stage_tells_its_first_and_its_last_item_and_few_between() -> None:
    lines: list[str] = []
    progress = ProgressLines(lines.append, every_s=3_600, at_start=True)

    for done in range(1_001):
        progress.update(stage="responses", done=done, failed=0, total=1_000, cost_usd=Decimal("0.5"))

    assert len(lines) == 2
    assert lines[0].startswith("responses: 0/1,000 done, 0 failed")
    assert lines[1].startswith("responses: 1,000/1,000 done")
    assert lines[1].endswith("/s, $0.5000")


def test_the_next_stage_begins_a_line_of_its_own() -> None:
    lines: list[str] = []
    progress = ProgressLines(lines.append, every_s=3_600, at_start=True)

    progress.update(stage="responses", done=1, failed=0, total=5, cost_usd=None)
    progress.update(stage="embeddings", done=1, failed=0, total=5, cost_usd=None)

    assert [line.split(":")[0] for line in lines] == ["responses", "embeddings"]
    assert not any("$" in line for line in lines)


def test_a_stage_that_was_finished_before_has_no_speed() -> None:
    lines: list[str] = []

    ProgressLines(lines.append, every_s=5).update(stage="embeddings", done=4, failed=0, total=4, cost_usd=None)

    assert lines == ["embeddings: 4/4 done, 0 failed"]
