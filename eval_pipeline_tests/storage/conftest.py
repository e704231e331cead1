"""The two stores, each empty: whoever asks for ``store`` runs on both."""

from pathlib import Path

import pytest

from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.storage.s3 import S3ObjectStore
from eval_pipeline_tests.s3 import S3Server


@pytest.fixture
def local(tmp_path: Path) -> LocalObjectStore:
    return LocalObjectStore(tmp_path / "store")


@pytest.fixture
def s3(s3_server: S3Server, s3_prefix: str) -> S3ObjectStore:
    return S3ObjectStore(s3_server.client(), bucket=s3_server.bucket, prefix=s3_prefix)


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    found: ObjectStore = request.getfixturevalue(request.param)
    return found
