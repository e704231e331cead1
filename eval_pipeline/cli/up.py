"""``eval-pipeline up``: the Dagster UI and daemon on the same data as the command line."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.core.errors import UsageError


@click.command(name="up")
@click.option(
    "--host", metavar="HOST", default="127.0.0.1", show_default=True, help="Address to listen on; the UI has no login."
)
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the UI.")
def command(*, host: str, port: int) -> int:
    """Start the Dagster UI and daemon; Ctrl-C ends both."""
    deployment = open_deployment()
    _check_port_is_free(host, port)
    # Dagster warns of its own commands and previews, which are nothing that a user could act on
    environment = {"PYTHONWARNINGS": "ignore", **os.environ, "EVAL_PIPELINE_HOME": str(deployment.home)}
    if "DAGSTER_HOME" not in environment:
        environment["DAGSTER_HOME"] = str(_prepare_instance())
    click.echo(f"Dagster UI: http://{host}:{port} on {deployment.home}", err=True)
    arguments = ("-m", "dagster", "dev", "-m", "eval_pipeline.definitions", "--host", host, "--port", str(port))
    return _run_until_told([sys.executable, *arguments], environment)


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


def _run_until_told(command_line: list[str], environment: dict[str, str]) -> int:
    """Run Dagster and hand signals on, so that it ends its own children.

    The handlers stand before it starts: a process that begins with SIGINT ignored, as shells start background jobs,
    would not end on SIGTERM either.
    """
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda one, _: received.append(one))
    process = subprocess.Popen(command_line, env=environment)  # noqa: S603 - our own interpreter
    while process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)
        while received:
            process.send_signal(received.pop())
    return process.returncode
