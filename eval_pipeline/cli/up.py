"""``eval-pipeline up``: the Dagster UI and daemon on the same data as the command line."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from filelock import FileLock, Timeout

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.core.errors import ConflictError, UsageError
from eval_pipeline.wiring.deployment import Deployment

CODE = ("-m", "eval_pipeline.definitions")


@click.command(name="up")
@click.option(
    "--host", metavar="HOST", default="127.0.0.1", show_default=True, help="Address to listen on; the UI has no login."
)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the UI.")
@click.option(
    "--daemon/--no-daemon",
    default=True,
    show_default=True,
    help="Without: the UI alone, beside a daemon that runs elsewhere on the same data.",
)
def command(*, host: str, port: int, daemon: bool) -> int:
    """Start the Dagster UI and daemon; Ctrl-C ends both."""
    deployment = open_deployment()
    _check_port_is_free(host, port)
    # Dagster warns of its own commands and previews, which are nothing that a user could act on
    environment = {"PYTHONWARNINGS": "ignore", **os.environ, "EVAL_PIPELINE_HOME": str(deployment.home)}
    own_instance = os.environ.get("DAGSTER_HOME")
    folder = Path(own_instance) if own_instance else _prepare_instance()
    environment["DAGSTER_HOME"] = str(folder)
    if deployment.settings.project_credentials_file is not None:
        environment["EVAL_PROJECT_CREDENTIALS_FILE"] = str(deployment.settings.project_credentials_file.resolve())
    if deployment.settings.endpoints_file is not None:
        environment["EVAL_ENDPOINTS_FILE"] = str(deployment.settings.endpoints_file.resolve())
    at = ("--host", host, "--port", str(port))
    command_line = [sys.executable, "-m", *(("dagster", "dev") if daemon else ("dagster_webserver",)), *CODE, *at]
    with _only_daemon(folder, shared=own_instance is not None) if daemon else _none():
        _say_where(deployment, folder=folder, url=f"http://{host}:{port}", daemon=daemon)
        return _run_until_told(command_line, environment, cwd=folder)


def _say_where(deployment: Deployment, *, folder: Path, url: str, daemon: bool) -> None:
    """Say which data the UI shows: each part may lie elsewhere than in the home."""
    ledger = "PostgreSQL" if (deployment.database_url or "").startswith("postgres") else None
    click.echo(f"Dagster UI{'' if daemon else ', without a daemon'}: {url}", err=True)
    click.echo(f"  instance {folder}", err=True)
    click.echo(f"  ledger   {ledger or deployment.database_url or deployment.home / 'ledger.sqlite'}", err=True)
    click.echo(f"  store    {deployment.store_url}", err=True)


@contextmanager
def _none() -> Iterator[None]:
    yield


@contextmanager
def _only_daemon(folder: Path, *, shared: bool) -> Iterator[None]:
    """Refuse to start a second daemon on one instance: two of them fill each other's logs with errors.

    Args:
        folder: of the instance's configuration.
        shared: whether other machines may run a daemon on it.
    """
    lock = FileLock(folder / ".up.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise _daemon_runs("eval-pipeline up runs already on this data") from None
    try:
        if shared:
            _check_that_none_beats()
        yield
    finally:
        lock.release()


def _check_that_none_beats() -> None:
    from eval_pipeline.defs.daemons import daemon_beats  # noqa: PLC0415 - dagster

    if daemon_beats(tell=lambda words: click.echo(words, err=True)):
        raise _daemon_runs("a daemon of this Dagster instance runs already, perhaps on another machine")


def _daemon_runs(what: str) -> ConflictError:
    return ConflictError(
        what,
        code="daemon_already_running",
        hint="eval-pipeline up --no-daemon starts a UI beside it, on another --port",
    )


def _check_port_is_free(host: str, port: int) -> None:
    """Raise before Dagster takes another port without asking, or waits for one for ever."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise UsageError(
            f"port {port} of {host} cannot be used: {(error.strerror or str(error)).lower()}",
            code="port_unavailable",
            hint="is the UI running already? else choose another one with --port",
        ) from error


def _prepare_instance() -> Path:
    """Put the instance's configuration into the home's Dagster folder, where Dagster looks for it."""
    from eval_pipeline.defs.instance import INSTANCE_FILE, dagster_folder, instance_config_folder  # noqa: PLC0415 - dagster

    folder = dagster_folder()
    shutil.copyfile(instance_config_folder() / INSTANCE_FILE, folder / INSTANCE_FILE)
    return folder


def _run_until_told(command_line: list[str], environment: Mapping[str, str], *, cwd: Path) -> int:
    """Run Dagster and hand signals on, so that it ends its own children.

    The handlers stand before it starts: a process that begins with SIGINT ignored, as shells start background jobs,
    would not end on SIGTERM either.

    Args:
        command_line: what to run.
        environment: of it.
        cwd: the instance's folder: Dagster warns of a ``dagster.yaml`` anywhere else that it does not read.
    """
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda one, _: received.append(one))
    process = subprocess.Popen(command_line, env=environment, cwd=cwd)  # noqa: S603 - our own interpreter
    while process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)
        while received:
            process.send_signal(received.pop())
    return process.returncode
