"""The same flow on PostgreSQL and S3, by configuration alone."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg
import pytest
import yaml

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


def test_the_documented_instance_opens_on_postgresql(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documented = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    section = documented.partition("## PostgreSQL, S3 and a Dagster instance of your own")[2]
    example = section.partition("```yaml\n")[2].partition("```")[0]
    packaged = yaml.safe_load((Path(__file__).parents[2] / "dagster.yaml").read_text(encoding="utf-8"))
    (tmp_path / "dagster.yaml").write_text(example.replace("/var/lib/eval_pipeline", str(tmp_path)))
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", postgres_url)

    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        instance.add_dynamic_partitions("text_runs", ["one"])
        assert instance.get_dynamic_partitions("text_runs") == ["one"]
        assert instance.run_monitoring_enabled

    theirs = {"storage", "local_artifact_storage", "compute_logs"}
    kept = {name: part for name, part in yaml.safe_load(example).items() if name not in theirs}
    assert kept == {name: part for name, part in packaged.items() if name not in theirs}
