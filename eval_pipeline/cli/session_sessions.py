"""The verbs of ``eval-pipeline session`` that work on sessions themselves: bring in, list, show, export, delete."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.output import common_options, page_footer, printable, write_json, write_table, write_warning
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.names import shown, validate_project
from eval_pipeline.core.sessions import Arrival, SessionScope
from eval_pipeline.session_eval.sessions.session import SourceFormat
from eval_pipeline.wiring.deployment import Deployment

_TOLD_BAD = 20
_NAME_CHARACTERS = 40
_WORDS = {
    Arrival.NEW: "new",
    Arrival.CHANGED: "changed",
    Arrival.UPDATED: "told otherwise about, the same conversation",
    Arrival.UNCHANGED: "known already",
    Arrival.FORGOTTEN: "not taken: forgotten at a person's wish",
}


@click.command(name="ingest")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["auto", *map(str, SourceFormat)]),
    default="auto",
    show_default=True,
    help="What the files were recorded as; auto looks at each.",
)
@common_options
def ingest(files: tuple[str, ...], *, file_format: str, project: str, as_json: bool) -> int:
    """Bring recorded sessions into the project: files, folders of them, .gz and .eval among them, or - for a pipe.

    A session whose id is known is updated. Every line that is none is told; the others come in. Exit code 1 when
    nothing came in.
    """
    from eval_pipeline.session_eval.session_ingest import ingest as bring_in  # noqa: PLC0415 - light verbs stay light
    from eval_pipeline.session_eval.session_intake import IngestResult  # noqa: PLC0415 - the same

    def tell(result: IngestResult) -> None:
        told = (
            f"{counted(result.sessions, 'session', verb=('is', 'are'))} in, {counted(result.bad_count, 'line')} refused"
        )
        click.echo(told, err=True)

    result = bring_in(open_deployment(), validate_project(project), files, file_format, on_progress=tell)
    if as_json:
        write_json(
            {
                "project": project,
                "sessions": result.sessions,
                **{arrival.value: result.arrivals[arrival] for arrival in Arrival},
                "formats": dict(result.formats),
                "bad_count": result.bad_count,
                "bad": [{"file": one.file, "number": one.number, "reason": one.reason} for one in result.bad],
                "notes": dict(result.notes),
            }
        )
    else:
        for arrival, count in result.arrivals.items():
            click.echo(f"{count:,} {_WORDS[arrival]}")
    for note, count in result.notes.items():
        write_warning(f"{note} ({count:,} sessions)" if count > 1 else note)
    for one in result.bad[:_TOLD_BAD]:
        write_warning(f"{one.file}, {one.number:,}: {one.reason}")
    if result.bad_count > _TOLD_BAD:
        write_warning(f"and {result.bad_count - _TOLD_BAD:,} more lines that are no sessions (--json lists them)")
    return 0 if result.sessions else 1


@click.command(name="list")
@click.option("--profile", metavar="ID", help="Only sessions of this agent.")
@click.option("--search", metavar="TEXT", help="Only sessions whose name holds this.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True)
@common_options
def list_sessions(
    *, profile: str | None, search: str | None, limit: int, offset: int, project: str, as_json: bool
) -> None:
    """List sessions: pinned ones first, then those that were active last."""
    from eval_pipeline.session_eval import session_feedback, session_store  # noqa: PLC0415 - light verbs stay light

    deployment = open_deployment()
    scope = SessionScope(profile=profile, search=search)
    page = session_store.listed(deployment, validate_project(project), scope, limit=limit, offset=offset)
    thumbs = session_feedback.thumbs(deployment, project, [one.session_id for one in page.items])
    if as_json:
        listed = [_summary(one, thumbs.get(one.session_id, (0, 0))) for one in page.items]
        write_json({"sessions": listed, "total": page.total, "limit": page.limit, "offset": page.offset})
        return
    rows = []
    for one in page.items:
        likes, dislikes = thumbs.get(one.session_id, (0, 0))
        active = f"{one.last_active:%Y-%m-%d %H:%M}" if one.last_active else None
        name = one.name if one.name is None or len(one.name) <= _NAME_CHARACTERS else f"{one.name[:_NAME_CHARACTERS]}…"
        facts = one.facts
        rows.append(
            (one.session_id, name, one.profile_id, active, one.message_count, facts.tool_calls, likes, dislikes)
        )
    write_table(("SESSION", "NAME", "PROFILE", "LAST ACTIVE (UTC)", "MESSAGES", "CALLS", "LIKES", "DISLIKES"), rows)
    click.echo(page_footer(page))


def show_session(deployment: Deployment, project: str, session_id: str, *, as_json: bool) -> None:
    """Show one session: its facts, its messages, and what people think of them."""
    from eval_pipeline.session_eval import session_feedback, session_store  # noqa: PLC0415 - light verbs stay light
    from eval_pipeline.session_eval.session_detail import detail  # noqa: PLC0415 - the same
    from eval_pipeline.session_eval.session_feedback import standing  # noqa: PLC0415 - the same

    [stored] = session_store.require(deployment, project, [session_id])
    [(_, document)] = session_store.documents(deployment, [stored])
    said = standing(deployment.ledger.thumbs(project=project, session_ids=[session_id]))
    thumbs = session_feedback.thumbs(deployment, project, [session_id]).get(session_id, (0, 0))
    if as_json:
        feedback = [
            {
                "message_index": one.thumb.message_index,
                "rating": one.thumb.rating,
                "comment": one.thumb.comment,
                "author": one.thumb.author,
                "time": one.thumb.said_at.isoformat(),
                "orphaned": one.thumb.is_orphaned,
            }
            for one in said
        ]
        judged = detail(deployment, project, session_id)
        write_json({**_summary(stored, thumbs), "session": document, "people": feedback, **judged})
        return
    click.echo(f"{printable(stored.session_id)}: {stored.message_count:,} messages, {stored.facts.tool_calls:,} calls")
    for index, message in enumerate(document["messages"]):
        click.echo(f"[{index}] {message['role']}: {printable(_text(message), keep=chr(10))}")
        for one in said:
            if one.thumb.message_index == index and one.counts:
                words = "likes" if one.thumb.rating == 1 else "dislikes"
                comment = f": {one.thumb.comment}" if one.thumb.comment else ""
                click.echo(printable(f"    {one.thumb.author} {words} it{comment}"))
    orphaned = sum(one.thumb.is_orphaned for one in said)
    if orphaned:
        write_warning(f"{orphaned:,} sayings are about messages that are others by now; they are not counted")


def _text(message: JsonDict) -> str:
    content = message.get("content")
    text = (
        content
        if isinstance(content, str)
        else "\n".join(part.get("text", f"({part['type']})") for part in content or ())
    )
    calls = [f"calls {call['name']}({call['arguments']})" for call in message.get("tool_calls") or ()]
    return "\n".join(word for word in (text, *calls, message.get("error") or "") if word)


def _summary(stored: object, thumbs: tuple[int, int]) -> JsonDict:
    from eval_pipeline.session_eval.session_store import StoredSession  # noqa: PLC0415 - light verbs stay light

    assert isinstance(stored, StoredSession)
    return {
        "session_id": stored.session_id,
        "session_fingerprint": stored.session_fingerprint,
        "profile_id": stored.profile_id,
        "name": stored.name,
        "pinned": stored.pinned,
        "created_at": stored.created_at.isoformat() if stored.created_at else None,
        "last_active": stored.last_active.isoformat() if stored.last_active else None,
        "ingested_at": stored.ingested_at.isoformat() if stored.ingested_at else None,
        "message_count": stored.message_count,
        "likes": thumbs[0],
        "dislikes": thumbs[1],
        "facts": stored.facts.to_json(),
        "outcome": stored.outcome,
    }


def export_sessions(
    deployment: Deployment, project: str, session_ids: Sequence[str], *, output: Path, file_format: str
) -> int:
    """Write sessions to a file: as JSON Lines of ours, or as results of tau-bench; returns how many."""
    from eval_pipeline.reporting.export_files import whole_file  # noqa: PLC0415 - pyarrow
    from eval_pipeline.session_eval import session_store  # noqa: PLC0415 - light verbs stay light
    from eval_pipeline.session_eval.sessions.importers.tau_bench import write  # noqa: PLC0415 - the same
    from eval_pipeline.session_eval.sessions.json_text import json_bytes  # noqa: PLC0415 - the same

    chosen = session_store.require(deployment, project, session_ids) if session_ids else None
    stored = chosen if chosen is not None else session_store.each(deployment, project)
    is_tau = file_format == SourceFormat.TAU_BENCH
    count = 0
    with whole_file(output) as unfinished, unfinished.open("wb") as file:
        file.write(b"[" if is_tau else b"")
        for _, document in session_store.documents(deployment, stored):
            file.write(
                (b",\n" if count else b"\n") + json_bytes(write(document)) if is_tau else json_bytes(document) + b"\n"
            )
            count += 1
        file.write(b"\n]\n" if is_tau else b"")
    return count


@click.command(name="delete")
@click.argument("session_ids", metavar="SESSION...", nargs=-1, required=True)
@click.option("--forget", is_flag=True, help="A person's right to erasure: remove content everywhere, leave counts.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
def delete(session_ids: tuple[str, ...], *, forget: bool, yes: bool, project: str, as_json: bool) -> None:
    """Delete sessions; refused while a run uses one. What they said stays in storage for audit, but with --forget."""
    from eval_pipeline.session_eval import session_store  # noqa: PLC0415 - light verbs stay light

    deployment = open_deployment()
    named = shown(session_ids[0]) if len(session_ids) == 1 else f"{len(session_ids):,} sessions"
    if not yes and (forget or sys.stdin.isatty()):
        click.confirm(f"{'Forget' if forget else 'Delete'} {named}?", abort=True, err=True)
    if forget:
        from eval_pipeline.session_eval.session_forgetting import forget as forget_sessions  # noqa: PLC0415 - pyarrow

        gone = forget_sessions(deployment, validate_project(project), session_ids)
        told: JsonDict = {"forgotten": gone.sessions, "parts": gone.parts, "runs": list(gone.runs)}
    else:
        told = {"deleted": session_store.delete(deployment, validate_project(project), session_ids)}
    if as_json:
        write_json({"project": project, **told})
        return
    for name, value in told.items():
        click.echo(f"{name}: {' '.join(value) or 'none' if isinstance(value, list) else value}")
