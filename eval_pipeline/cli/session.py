"""``eval-pipeline session``: the verbs of every flow, those of sessions themselves, and how these stand.

A name is a run or a session: ``show`` and ``export`` find out which, and ask where it is both.
"""

from pathlib import Path

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.flow_group import flow_group
from eval_pipeline.cli.output import common_options, write_json
from eval_pipeline.cli.session_anchors import anchors
from eval_pipeline.cli.session_feedback import feedback
from eval_pipeline.cli.session_sessions import delete, export_sessions, ingest, list_sessions, show_session
from eval_pipeline.cli.session_views import VIEWS
from eval_pipeline.core.errors import ConflictError, NotFoundError, UsageError
from eval_pipeline.core.names import RunKey, shown, validate_project
from eval_pipeline.core.runs import Flow
from eval_pipeline.session_eval.sessions.session import SourceFormat
from eval_pipeline.wiring.deployment import Deployment

command = flow_group(Flow.SESSIONS)
_show_run = command.commands["show"]
_export_run = command.commands["export"]


def _is_session(deployment: Deployment, project: str, name: str, *, as_run: bool, as_session: bool) -> bool:
    """Tell whether a name means a session; raises where it means both, or neither."""
    if as_run or as_session:
        if as_run and as_session:
            raise click.UsageError("--run and --session contradict each other", ctx=click.get_current_context())
        return as_session
    is_session = deployment.ledger.find_session(project=validate_project(project), session_id=name) is not None
    is_run = _is_run(deployment, project, name)
    if is_session and is_run:
        raise ConflictError(
            f"{shown(name)} is a run and a session",
            code="name_ambiguous",
            hint="say which you mean: --run or --session",
        )
    if not is_session and not is_run:
        raise NotFoundError(
            f"project {project!r} has neither a run nor a session {shown(name)}",
            code="session_not_found",
            hint="see which there are: eval-pipeline session list, eval-pipeline run list --flow session_eval",
        )
    return is_session


def _is_run(deployment: Deployment, project: str, name: str) -> bool:
    try:
        key = RunKey.of(project=project, run=name)
    except UsageError:  # a session may have any name
        return False
    return deployment.ledger.find_run(flow=Flow.SESSIONS, key=key) is not None


@click.command(name="show")
@click.argument("name", metavar="RUN|SESSION")
@click.option("--detail", is_flag=True, help="Of a run: add every judgement.")
@click.option("--run", "as_run", is_flag=True, help="It is a run.")
@click.option("--session", "as_session", is_flag=True, help="It is a session.")
@common_options
@click.pass_context
def show(
    ctx: click.Context, name: str, *, detail: bool, as_run: bool, as_session: bool, project: str, as_json: bool
) -> None:
    """Show what a run came to, or one session: facts, messages, what people think of them."""
    deployment = open_deployment()
    if _is_session(deployment, project, name, as_run=as_run, as_session=as_session):
        show_session(deployment, project, name, as_json=as_json)
    else:
        ctx.invoke(_show_run, run=name, detail=detail, project=project, as_json=as_json)


@click.command(name="export")
@click.argument("names", metavar="[RUN|SESSION...]", nargs=-1)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Of sessions: JSON Lines. Of a run: ends in .csv, .jsonl, .parquet or .xlsx.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice([str(SourceFormat.NATIVE), str(SourceFormat.TAU_BENCH)]),
    default=str(SourceFormat.NATIVE),
    show_default=True,
    help="Of sessions: as what to write them.",
)
@click.option("--bom", is_flag=True, help="Of a run: begin the CSV with a byte order mark, for Excel.")
@click.option("--run", "as_run", is_flag=True, help="The name is a run's.")
@click.option("--session", "as_session", is_flag=True, help="The names are sessions'.")
@common_options
@click.pass_context
def export(
    ctx: click.Context,
    names: tuple[str, ...],
    *,
    output: Path,
    file_format: str,
    bom: bool,
    as_run: bool,
    as_session: bool,
    project: str,
    as_json: bool,
) -> None:
    """Write sessions to a file (all, or those that are named), or what a run came to for each."""
    deployment = open_deployment()
    one = names[0] if len(names) == 1 else None
    if one is not None and not _is_session(deployment, project, one, as_run=as_run, as_session=as_session):
        ctx.invoke(_export_run, run=one, output=output, bom=bom, project=project, as_json=as_json)
        return
    project = validate_project(project)
    count = export_sessions(deployment, project, names, output=output, file_format=file_format)
    if as_json:
        write_json({"project": project, "format": file_format, "output": str(output), "sessions": count})
    else:
        click.echo(f"wrote {count:,} sessions to {output}")


for verb in (ingest, list_sessions, show, export, delete, feedback, anchors, *VIEWS):
    command.add_command(verb)
