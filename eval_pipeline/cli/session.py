"""``eval-pipeline session``: recorded sessions, and what people think of them."""

from pathlib import Path

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.output import common_options, write_json
from eval_pipeline.cli.session_feedback import feedback
from eval_pipeline.cli.session_sessions import delete, export_sessions, ingest, list_sessions, show_session
from eval_pipeline.core.names import validate_project
from eval_pipeline.session_eval.sessions.session import SourceFormat


@click.group(name="session")
def command() -> None:
    """Recorded sessions of agents, and what people think of them."""


@command.command()
@click.argument("session_id", metavar="SESSION")
@common_options
def show(session_id: str, *, project: str, as_json: bool) -> None:
    """Show one session: facts, messages, what people think of them."""
    show_session(open_deployment(), validate_project(project), session_id, as_json=as_json)


@command.command()
@click.argument("session_ids", metavar="[SESSION...]", nargs=-1)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="JSON Lines.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice([str(SourceFormat.NATIVE), str(SourceFormat.TAU_BENCH)]),
    default=str(SourceFormat.NATIVE),
    show_default=True,
    help="As what to write them.",
)
@common_options
def export(session_ids: tuple[str, ...], *, output: Path, file_format: str, project: str, as_json: bool) -> None:
    """Write sessions to a file: all, or those that are named."""
    deployment, project = open_deployment(), validate_project(project)
    count = export_sessions(deployment, project, session_ids, output=output, file_format=file_format)
    if as_json:
        write_json({"project": project, "format": file_format, "output": str(output), "sessions": count})
    else:
        click.echo(f"wrote {count:,} sessions to {output}")


for verb in (ingest, list_sessions, delete, feedback):
    command.add_command(verb)
