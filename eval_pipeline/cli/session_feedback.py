"""``eval-pipeline session feedback``: likes and dislikes of messages, one by one or as a spreadsheet."""

from pathlib import Path

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.output import common_options, printable, write_json, write_warning
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.feedback_words import checked_comment, checked_reviewer
from eval_pipeline.core.names import validate_project
from eval_pipeline.core.sessions import SessionThumb
from eval_pipeline.runs.claims import requester

_WORDS = {1: "like", -1: "dislike", None: "clear"}


@click.command(name="feedback")
@click.argument("session_id", metavar="[SESSION]", required=False)
@click.option(
    "--message", "index", metavar="N", type=int, help="Which message, by its place from 0; with what is said."
)
@click.option("--like", is_flag=True, help="With --message: it is liked.")
@click.option("--dislike", is_flag=True, help="With --message: it is disliked.")
@click.option("--clear", is_flag=True, help="With --message: take back what you said; the history stays.")
@click.option("--comment", metavar="TEXT", help="With --like or --dislike: why.")
@click.option(
    "--import",
    "source",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Record what a .csv or .xlsx says: session_id, message_index, rating (like, dislike, clear), comment, author.",
)
@click.option(
    "--export",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what stands; of a SESSION every answer too, to be filled in: .csv, .xlsx; also .jsonl, .parquet.",
)
@click.option("--bom", is_flag=True, help="With --export: begin the CSV with a byte order mark, for Excel.")
@click.option("--author", metavar="NAME", help="Who says it; default: your user name.")
@common_options
def feedback(
    session_id: str | None,
    *,
    index: int | None,
    like: bool,
    dislike: bool,
    clear: bool,
    comment: str | None,
    source: Path | None,
    target: Path | None,
    bom: bool,
    author: str | None,
    project: str,
    as_json: bool,
) -> int:
    """Like or dislike a message of SESSION, or show what people said of its messages.

    Example: eval-pipeline session feedback chat-7 --message 4 --dislike --comment "the number is wrong"
    """
    said = {"--like": like, "--dislike": dislike, "--clear": clear}
    marks = [name for name, is_given in said.items() if is_given]
    _check_together(
        session_id=session_id, index=index, marks=marks, comment=comment, source=source, target=target, bom=bom
    )
    project = validate_project(project)
    who = checked_reviewer(requester() if author is None else author)
    if source is not None:
        return _import(source, project=project, author=who, as_json=as_json)
    if target is not None:
        _export(target, session_id, project=project, bom=bom, as_json=as_json)
    elif index is not None and session_id is not None:
        rating = {"--like": 1, "--dislike": -1, "--clear": None}[marks[0]]
        _say(session_id, index, rating=rating, comment=comment, project=project, author=who, as_json=as_json)
    else:
        _show(session_id, project=project, as_json=as_json)
    return 0


def _check_together(
    *,
    session_id: str | None,
    index: int | None,
    marks: list[str],
    comment: str | None,
    source: Path | None,
    target: Path | None,
    bom: bool,
) -> None:
    """Refuse options that do not go together, rather than pass one of them over."""
    problems = {
        f"{' and '.join(marks)} contradict each other": len(marks) > 1,
        "--message needs one of --like, --dislike, --clear": index is not None and not marks,
        f"{' '.join(marks)} without --message N": bool(marks) and index is None,
        "--message without a SESSION": index is not None and session_id is None,
        "--comment without --like or --dislike": comment is not None and marks not in (["--like"], ["--dislike"]),
        "--import and --export do not go together": source is not None and target is not None,
        "--message does not go with --import or --export": index is not None and (source or target) is not None,
        "--import takes its sessions from the file": source is not None and session_id is not None,
        "--bom without --export": bom and target is None,
    }
    for problem, found in problems.items():
        if found:
            raise click.UsageError(problem, ctx=click.get_current_context())


def _say(
    session_id: str, index: int, *, rating: int | None, comment: str | None, project: str, author: str, as_json: bool
) -> None:
    from eval_pipeline.session_eval import session_feedback, session_store  # noqa: PLC0415 - light verbs stay light
    from eval_pipeline.session_eval.session_feedback import Said, say  # noqa: PLC0415 - the same

    deployment = open_deployment()
    [stored] = session_store.require(deployment, project, [session_id])
    words = None if comment is None else checked_comment(comment)
    said = [Said(message_index=index, rating=rating, comment=words)]
    entries = say(deployment, project, stored, said, author=author)
    likes, dislikes = session_feedback.thumbs(deployment, project, [session_id]).get(session_id, (0, 0))
    if as_json:
        told = {"recorded": list(map(_json, entries)), "likes": likes, "dislikes": dislikes}
        write_json({"project": project, "session_id": session_id, **told})
    else:
        click.echo(f"recorded: {_WORDS[rating]} of message {index:,}; {likes:,} likes, {dislikes:,} dislikes in all")


def _show(session_id: str | None, *, project: str, as_json: bool) -> None:
    from eval_pipeline.session_eval import session_store  # noqa: PLC0415 - light verbs stay light
    from eval_pipeline.session_eval.session_feedback import standing  # noqa: PLC0415 - the same

    deployment = open_deployment()
    if session_id is not None:
        session_store.require(deployment, project, [session_id])
    history = deployment.ledger.thumbs(project=project, session_ids=None if session_id is None else [session_id])
    stands = standing(history)
    if as_json:
        told = {"standing": [_json(one.thumb) for one in stands], "history": list(map(_json, history))}
        write_json({"project": project, "session_id": session_id, **told})
        return
    for one in stands:
        thumb = one.thumb
        orphaned = " (about a message that is another one by now: not counted)" if thumb.is_orphaned else ""
        comment = f": {thumb.comment}" if thumb.comment else ""
        words = (
            f"{thumb.session_id} [{thumb.message_index}] {_WORDS[thumb.rating]} by {thumb.author}{comment}{orphaned}"
        )
        click.echo(printable(words))
    if not stands:
        click.echo("nobody has said anything")


def _json(thumb: SessionThumb) -> JsonDict:
    return {
        "session_id": thumb.session_id,
        "message_index": thumb.message_index,
        "message_id": thumb.message_id,
        "rating": thumb.rating,
        "comment": thumb.comment,
        "author": thumb.author,
        "time": thumb.said_at.isoformat(),
        "orphaned": thumb.is_orphaned,
    }


def _import(source: Path, *, project: str, author: str, as_json: bool) -> int:
    from eval_pipeline.session_eval.session_feedback_file import import_feedback  # noqa: PLC0415 - light verbs stay light

    came = import_feedback(open_deployment(), project, source, author=author)
    for conflict in came.conflicts:
        write_warning(f"{conflict}\nnothing of this row was recorded")
    if as_json:
        counts = {"recorded": came.recorded, "unchanged": came.unchanged, "conflicts": list(came.conflicts)}
        write_json({"project": project, **counts})
    else:
        click.echo(f"recorded: {came.recorded:,}; rows that said nothing new: {came.unchanged:,}")
    return 1 if came.conflicts else 0


def _export(target: Path, session_id: str | None, *, project: str, bom: bool, as_json: bool) -> None:
    from eval_pipeline.session_eval import session_store  # noqa: PLC0415 - light verbs stay light
    from eval_pipeline.session_eval.session_feedback_file import export_feedback  # noqa: PLC0415 - the same

    deployment = open_deployment()
    named = None if session_id is None else [session_id]
    if named is not None:
        session_store.require(deployment, project, named)
    rows = export_feedback(deployment, project, target, session_ids=named, bom=bom)
    if as_json:
        write_json({"project": project, "session_id": session_id, "output": str(target), "rows": rows})
    else:
        click.echo(f"wrote {rows:,} rows to {target}")
