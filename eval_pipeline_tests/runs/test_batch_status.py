"""What ``run status`` says of batches, and what a poll says of several things at once."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from eval_pipeline.core.batches import JobState
from eval_pipeline.runs.batch_polling import Polled
from eval_pipeline.runs.status import batches_json
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.storage.records import a_job


def test_results_are_kept_as_long_as_their_own_provider_keeps_them(tmp_path: Path) -> None:
    """Gemini deletes files after two days, OpenAI keeps those of batches for thirty."""
    ended_at = datetime.now(UTC) - timedelta(hours=40)
    jobs = [
        a_job(provider=name, state=JobState.ENDED, provider_id="b", ended_at=ended_at, output_file_id="f")
        for name in ("openai", "gemini")
    ]

    with closing(Deployment(environ={"EVAL_PIPELINE_HOME": str(home_with_ledger(tmp_path))})) as deployment:
        openai, gemini = batches_json(deployment, jobs)

    assert openai["results_deleted_at"] == (ended_at + timedelta(days=30)).isoformat()
    assert openai["expiry"] is None
    assert gemini["results_deleted_at"] == (ended_at + timedelta(days=2)).isoformat()
    assert "are not collected and expire in 0 days" in str(gemini["expiry"])


def test_an_alert_is_added_to_what_was_told_of_the_stage_before() -> None:
    polled, stage = Polled(), a_job().stage

    for words in ("paused: no credit", "batch b is overdue", "paused: no credit"):
        polled.alert(stage, words)

    assert polled.alerts == {stage: "paused: no credit; batch b is overdue"}
