"""Where this installation keeps its facts and files, opened when first used."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.core.runs import Worker
from eval_pipeline.core.secrets import know_secrets, secrets_in_url
from eval_pipeline.dispatch.workers import this_worker
from eval_pipeline.storage.home import find_home, make_home, open_home_ledger
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.wiring.credentials import Credentials, read_credentials
from eval_pipeline.wiring.endpoints import Endpoints, endpoints_of_project
from eval_pipeline.wiring.settings import Settings

_STORE_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

    from eval_pipeline.core.epoch import LedgerEpoch
    from eval_pipeline.storage.ledger import SqlLedger
    from eval_pipeline.storage.stages import StageStore


def _secrets_of_places(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the secrets of database and store, which no provider is sent and drivers may tell."""
    yield from secrets_in_url(environ.get("EVAL_PIPELINE_DATABASE_URL", ""))
    yield from (environ[name] for name in _STORE_KEYS if name in environ)


def _split(store_url: str) -> SplitResult:
    try:
        return urlsplit(store_url)
    except ValueError:  # such as s3://[x
        return SplitResult("", "", "", "", "")


class Deployment:
    """One installation: settings, ledger, object store, credentials.

    Args:
        environ: the variables to read; the process environment by default.
        cwd: where the search for an embedded home begins.
        make_s3_client: builds the S3 client when the store is ``s3://…`` (from dagster-aws's resource, in ``defs``).
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        make_s3_client: "Callable[[], S3Client] | None" = None,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._make_s3_client = make_s3_client
        self.home = find_home(self._environ, cwd or Path.cwd())
        self.settings = Settings.from_environment(self._environ)
        know_secrets(_secrets_of_places(self._environ))

    @property
    def store_url(self) -> str:
        """Where stage files and datasets lie."""
        url = self._environ.get("EVAL_PIPELINE_STORE") or (self.home / "store").as_uri()
        if "@" in url.partition("://")[2].partition("/")[0]:
            raise UsageError(
                "EVAL_PIPELINE_STORE holds a user name or password",
                code="invalid_setting",
                hint="give s3://bucket/prefix alone; keys go into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )
        return url

    @property
    def database_url(self) -> str | None:
        """The ledger's database when it is not the embedded one; may hold a password."""
        return self._environ.get("EVAL_PIPELINE_DATABASE_URL") or None

    @cached_property
    def ledger(self) -> "SqlLedger":
        """Facts that need transactions and queries."""
        return self._open_ledger(may_upgrade=self.settings.ledger_auto_upgrade == "always")

    def _open_ledger(self, *, may_upgrade: bool) -> "SqlLedger":
        if self.database_url is None:
            return open_home_ledger(self.home, may_upgrade=may_upgrade)
        from eval_pipeline.storage.ledger import open_ledger  # noqa: PLC0415 - sqlalchemy: not when a code location loads

        return open_ledger(self.database_url, may_upgrade=may_upgrade)

    def upgrade_ledger(self) -> "SqlLedger":
        """Make the ledger, or bring it to the newest schema, whatever the setting says; returns it, to be closed."""
        return self._open_ledger(may_upgrade=True)

    @cached_property
    def objects(self) -> ObjectStore:
        """Bytes under keys."""
        parts = _split(self.store_url)
        if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path:
            folder = Path(unquote(parts.path))
            if folder.is_relative_to(self.home):
                make_home(self.home)
            return LocalObjectStore(folder)
        if parts.scheme == "s3" and parts.netloc:
            return self._open_s3(bucket=parts.netloc, prefix=parts.path.strip("/"))
        raise UsageError(
            f"EVAL_PIPELINE_STORE is {self.store_url!r}, which is no store",
            code="invalid_setting",
            hint="use file:///absolute/folder or s3://bucket/prefix",
        )

    def _open_s3(self, *, bucket: str, prefix: str) -> ObjectStore:
        from eval_pipeline.storage.s3 import S3ObjectStore  # noqa: PLC0415 - botocore is slow to import

        return S3ObjectStore(self.s3_client(), bucket=bucket, prefix=prefix)

    def s3_client(self) -> "S3Client":
        """Build the client of S3, for the store or for audio that lies there."""
        if self._make_s3_client is None:
            raise UsageError(
                f"this command cannot reach S3 (the store is {self.store_url})",
                code="invalid_setting",
                hint="use the command line or Dagster",
            )
        try:
            return self._make_s3_client()
        except ValueError as error:  # such as AWS_ENDPOINT_URL_S3=http://[x
            raise UsageError(
                f"no client of S3 can be made: {error}",
                code="invalid_setting",
                hint="check AWS_ENDPOINT_URL_S3, AWS_REGION and the profile",
            ) from None

    @cached_property
    def stages(self) -> "StageStore":
        """Stage files with their manifests."""
        from eval_pipeline.storage.stages import StageStore  # noqa: PLC0415 - pyarrow is slow to import

        return StageStore(self.objects)

    def check_store(self) -> "LedgerEpoch":
        """Return how far the ledger is, beside its store; looked at once a process, before anything is written.

        A ledger that is older than its store is marked as restored from a backup.

        Raises:
            ConflictError: ``store_older_than_ledger``.
        """
        return self._epoch

    @cached_property
    def _epoch(self) -> "LedgerEpoch":
        from eval_pipeline.dispatch.restored import settle_epoch  # noqa: PLC0415 - orjson: not to find the home

        return settle_epoch(self.ledger, self.objects)

    @cached_property
    def worker(self) -> Worker:
        """This process, as the ledger names it."""
        return this_worker()

    def close(self) -> None:
        """Let the ledger's connections go; it opens them again when it is used again."""
        if "ledger" in vars(self):
            self.ledger.close()

    def credentials(self, project: str) -> Credentials:
        """Return the provider variables of a project."""
        return read_credentials(
            project,
            file=self.settings.project_credentials_file,
            environ=self._environ,
            endpoints_file=self.settings.endpoints_file,
        )

    def endpoints(self, project: str) -> Endpoints:
        """Return whom a project can ask."""
        return endpoints_of_project(self.credentials(project))
