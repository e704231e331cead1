"""What assets are given, and that it is given back."""

from pathlib import Path

import dagster as dg
import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.defs.resources import deployment_resource, make_s3_client
from eval_pipeline.wiring.deployment import Deployment


def test_the_ledger_is_closed_behind_every_run_and_tick(tmp_path: Path) -> None:
    """A code server opens a deployment every five seconds: on PostgreSQL each would keep a connection."""
    opened = Deployment(environ={"EVAL_PIPELINE_HOME": str(tmp_path)})

    with dg.build_resources({"deployment": deployment_resource(lambda: opened)}) as resources:
        assert resources.deployment is opened
        engine = opened.ledger._database.engine
        before = engine.pool
    assert engine.pool is not before


def test_the_s3_client_reads_the_usual_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    client = make_s3_client()

    assert client.meta.endpoint_url == "http://127.0.0.1:9"
    assert client.meta.region_name == "eu-central-1"


def test_a_bad_setting_stops_the_opening() -> None:
    with pytest.raises(UsageError, match="EVAL_FAST_MAX_UNIQUE_ROWS"):
        Deployment(environ={"EVAL_FAST_MAX_UNIQUE_ROWS": "many"})
