from pathlib import Path

import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.protocols import OPENAI
from eval_pipeline.dispatch.workers import this_worker
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.s3 import S3ObjectStore
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.s3 import S3Server


def _deployment(home: Path, **variables: str) -> Deployment:
    return Deployment(environ={"EVAL_PIPELINE_HOME": str(home), **variables})


def test_opening_makes_nothing(tmp_path: Path) -> None:
    deployment = _deployment(tmp_path / "home")

    assert deployment.home == tmp_path / "home"
    assert list(tmp_path.iterdir()) == []


def test_everything_lies_in_the_home_by_default(tmp_path: Path) -> None:
    deployment = _deployment(tmp_path / "a home 100%")
    deployment.objects.put("a/b", b"c")

    assert (tmp_path / "a home 100%" / "store" / "a" / "b").read_bytes() == b"c"
    assert deployment.database_url is None
    assert str(deployment.home / "ledger.sqlite") in deployment.ledger.url


@pytest.mark.parametrize("host", ["", "localhost"])
def test_a_file_url_names_the_store(tmp_path: Path, host: str) -> None:
    folder = tmp_path / "the store"
    deployment = _deployment(tmp_path, EVAL_PIPELINE_STORE=folder.as_uri().replace("file://", f"file://{host}"))
    deployment.objects.put("a", b"b")

    assert isinstance(deployment.objects, LocalObjectStore)
    assert (folder / "a").read_bytes() == b"b"


@pytest.mark.parametrize("url", ["/a/folder", "file://folder", "gs://bucket", "s3://", "s3:///prefix", "nonsense"])
def test_what_is_no_store_is_told_with_the_forms_that_are(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError) as raised:
        _ = _deployment(tmp_path, EVAL_PIPELINE_STORE=url).objects

    assert raised.value.code == "invalid_setting"
    assert url in raised.value.message
    assert "s3://bucket/prefix" in raised.value.hint


def test_an_s3_url_names_bucket_and_prefix(tmp_path: Path, s3_server: S3Server, s3_prefix: str) -> None:
    url = f"s3://{s3_server.bucket}/{s3_prefix}/deeper/"
    deployment = Deployment(
        environ={"EVAL_PIPELINE_HOME": str(tmp_path), "EVAL_PIPELINE_STORE": url}, make_s3_client=s3_server.client
    )
    deployment.objects.put("a", b"b")

    assert isinstance(deployment.objects, S3ObjectStore)
    assert deployment.objects.url("a") == f"s3://{s3_server.bucket}/{s3_prefix}/deeper/a"


def test_without_a_client_s3_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="s3://bucket"):
        _ = _deployment(tmp_path, EVAL_PIPELINE_STORE="s3://bucket").objects


def test_a_database_url_names_the_ledger(tmp_path: Path) -> None:
    deployment = _deployment(tmp_path / "home", EVAL_PIPELINE_DATABASE_URL=f"sqlite:///{tmp_path}/other.sqlite")

    assert (
        deployment.ledger.list_datasets(project="default", kind=None, max_unique_rows=None, limit=1, offset=0).total
        == 0
    )
    assert (tmp_path / "other.sqlite").exists()
    assert not (tmp_path / "home").exists()


def test_a_closed_deployment_opens_again_when_it_is_used(tmp_path: Path) -> None:
    deployment = _deployment(tmp_path)
    deployment.close()
    first = deployment.ledger.id
    deployment.close()

    assert deployment.ledger.id == first
    assert (
        deployment.ledger.list_datasets(project="default", kind=None, max_unique_rows=None, limit=1, offset=0).total
        == 0
    )


def test_the_worker_is_this_process(tmp_path: Path) -> None:
    assert _deployment(tmp_path).worker == this_worker()


def test_credentials_come_from_the_same_environment(tmp_path: Path) -> None:
    deployment = _deployment(tmp_path, OPENAI_API_KEY="mine")

    assert deployment.endpoints("default").find(OPENAI).require_key() == "mine"
