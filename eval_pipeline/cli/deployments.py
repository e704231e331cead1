"""The deployment that a command works on; Dagster's parts come in only when they are needed."""

from typing import TYPE_CHECKING

from eval_pipeline.wiring.deployment import Deployment

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def open_deployment() -> Deployment:
    """Open what the environment names."""
    return Deployment(make_s3_client=_make_s3_client)


def _make_s3_client() -> "S3Client":
    from eval_pipeline.defs.resources import make_s3_client  # noqa: PLC0415 - imports dagster, only S3 stores need it

    return make_s3_client()
