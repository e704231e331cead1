"""The same flow on PostgreSQL and S3, by configuration alone."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from eval_pipeline.core.runs import RunState
from eval_pipeline_tests.laboratory import FAST, open_laboratory
from eval_pipeline_tests.providing import Provider
from eval_pipeline_tests.s3 import S3Server


@pytest.fixture
def places(
    s3_server: S3Server, s3_prefix: str, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> Mapping[str, str]:
    """The variables that name both servers."""
    for name, value in s3_server.environment().items():
        monkeypatch.setenv(name, value)
    return {
        "EVAL_PIPELINE_STORE": f"s3://{s3_server.bucket}/{s3_prefix}",
        "EVAL_PIPELINE_DATABASE_URL": postgres_url,
    }


def test_a_whole_run_on_s3_and_postgresql(shared_provider: Provider, places: Mapping[str, str], tmp_path: Path) -> None:
    with shared_provider.behaving(), open_laboratory(tmp_path / "home", shared_provider, **places) as lab:
        made = lab.materialize("elsewhere", config=FAST)
        again = lab.materialize("elsewhere", stages=["responses", "embedding_batch", "embeddings", "scores", "report"])

        assert made.success
        assert again.success
        assert lab.provider.answers.requests == 3
        assert lab.state("elsewhere") is RunState.COMPLETED
        assert made.metadata("report")["report"].startswith(f"{places['EVAL_PIPELINE_STORE']}/text_eval/")
        assert lab.stored("elsewhere", "report").file("report.html").startswith(b"<!")
        assert len(lab.stored("elsewhere", "scores").frame()) == 3
    assert {path.name for path in (tmp_path / "home").iterdir()} <= {"dagster", ".lock", "golden.csv"}
