"""What assets ask for: the deployment, opened from the environment when a run first needs it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg

from eval_pipeline.wiring.deployment import Deployment

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client


def make_s3_client() -> "S3Client":
    """Build the S3 client from dagster-aws's resource; endpoint, region and keys as ``AWS_*`` say."""
    from dagster_aws.s3 import S3Resource  # noqa: PLC0415 - boto3 costs 0.3 s and only S3 stores need it

    client: S3Client = S3Resource().get_client()
    return client


def open_deployment() -> Deployment:
    """Open what the environment names."""
    return Deployment(make_s3_client=make_s3_client)


def deployment_resource(open_it: Callable[[], Deployment] = open_deployment) -> dg.ResourceDefinition:
    """Give assets the deployment, and close it behind them: a code server opens one for every tick of a sensor."""

    def opened(_: dg.InitResourceContext) -> Iterator[Deployment]:
        deployment = open_it()
        try:
            yield deployment
        finally:
            deployment.close()

    return dg.ResourceDefinition(
        resource_fn=contextmanager(opened), description="Ledger, object store, settings, keys."
    )
