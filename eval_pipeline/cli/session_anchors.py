"""``eval-pipeline session anchors``: sessions that are frozen, to be judged again when a judge may have moved."""

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.output import common_options, write_json, write_table
from eval_pipeline.core.names import validate_project


@click.group()
def anchors() -> None:
    """Sessions that are frozen, 30 to 100 in a set, to be judged again when a judge or its provider's model changes."""


@anchors.command(name="set")
@click.argument("name")
@click.argument("session_ids", metavar="[SESSION...]", nargs=-1)
@click.option("--from", "run", metavar="RUN", help="Take sessions that RUN judged wholly, as it judged them.")
@click.option("--count", type=int, metavar="N", help="How many of RUN, 30 to 100; default 50, or as many as there are.")
@common_options
def keep(
    name: str, session_ids: tuple[str, ...], *, run: str | None, count: int | None, project: str, as_json: bool
) -> None:
    """Freeze an anchor set: sessions of a run, or those that are named. Earlier versions of the name stay.

    Example: eval-pipeline session anchors set house --from nightly --count 50
    """
    from eval_pipeline.session_eval.anchors import set_from_run, set_of_sessions  # noqa: PLC0415 - light verbs stay so

    if (run is None) is not bool(session_ids):
        raise click.UsageError("name a run with --from RUN, or sessions", ctx=click.get_current_context())
    if run is None and count is not None:
        raise click.UsageError("--count goes with --from RUN", ctx=click.get_current_context())
    deployment = open_deployment()
    kept = (
        set_of_sessions(deployment, project, name, session_ids=session_ids)
        if run is None
        else set_from_run(deployment, project, name, run=run, count=count)
    )
    if as_json:
        write_json(kept.to_json())
        return
    click.echo(f"anchor set {kept.name}, version {kept.number}: {len(kept.sessions):,} sessions")


@anchors.command(name="list")
@common_options
def list_anchors(*, project: str, as_json: bool) -> None:
    """List the anchor sets of the project: their newest versions."""
    from eval_pipeline.session_eval.anchors import each_anchors  # noqa: PLC0415 - light verbs stay light

    found = [
        {**one.to_json(), "sessions": len(one.sessions)}
        for one in each_anchors(open_deployment(), validate_project(project))
    ]
    if as_json:
        write_json({"project": project, "anchors": found})
        return
    rows = [(one["name"], one["number"], one["sessions"], one["from_run"], one["created_at"][:16]) for one in found]
    write_table(("NAME", "VERSION", "SESSIONS", "FROM RUN", "SET (UTC)"), rows)


@anchors.command(name="show")
@click.argument("name")
@click.option("--version", "number", type=click.IntRange(1), metavar="N", help="An earlier version.")
@common_options
def show_anchors(name: str, *, number: int | None, project: str, as_json: bool) -> None:
    """Show the sessions of an anchor set with the fingerprints of their contents."""
    from eval_pipeline.session_eval.anchors import find_anchors  # noqa: PLC0415 - light verbs stay light

    found = find_anchors(open_deployment(), validate_project(project), name, number=number)
    if as_json:
        write_json(found.to_json())
        return
    click.echo(f"anchor set {found.name}, version {found.number}: {len(found.sessions):,} sessions")
    write_table(("SESSION", "FINGERPRINT"), [(one.session_id, one.fingerprint) for one in found.sessions])
