"""``eval-pipeline stt feedback``: people's verdicts on transcripts, one by one or as a spreadsheet."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.feedback_view import agreement_json, judged_json, write_agreement, write_judged
from eval_pipeline.cli.output import common_options, write_json, write_warning
from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import ConflictError, NotFoundError
from eval_pipeline.core.feedback import UNTOUCHED, Change, ErrorTag, Untouched
from eval_pipeline.core.feedback_words import checked_comment, checked_tags
from eval_pipeline.core.names import RunKey
from eval_pipeline.runs.claims import requester
from eval_pipeline.wiring.deployment import Deployment

_MARKS = {"correct": True, "wrong": False, "clear": None}
_SAYING = ("correct", "wrong", "clear", "comment", "tags", "no_tags")


@click.command(name="feedback")
@click.argument("run")
@click.option(
    "--set",
    "chosen",
    metavar="SAMPLE MODEL",
    type=(str, str),
    multiple=True,
    help="Judge the transcript of this sample by this model; repeatable.",
)
@click.option("--correct", is_flag=True, help="With --set: it is right.")
@click.option("--wrong", is_flag=True, help="With --set: it is wrong.")
@click.option("--clear", is_flag=True, help="With --set: take back what was said; the history stays.")
@click.option("--comment", metavar="TEXT", help="With --set: a comment; an empty one removes it.")
@click.option(
    "--tag",
    "tags",
    type=click.Choice([str(tag) for tag in ErrorTag]),
    multiple=True,
    help="With --set: what is wrong; repeatable, replaces the tags that stand.",
)
@click.option("--no-tags", is_flag=True, help="With --set: remove the tags.")
@click.option(
    "--import",
    "source",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Record what a .csv or .xlsx says: sample, model, is_correct (yes, no, clear), comment, tags, reviewer, time.",
)
@click.option(
    "--export",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all transcripts with what stands of them, to be filled in: .xlsx, .csv; also .jsonl, .parquet.",
)
@click.option("--bom", is_flag=True, help="With --export: begin the CSV with a byte order mark, for Excel.")
@click.option("--reviewer", metavar="NAME", help="Who says it; default: your user name.")
@common_options
def feedback(
    run: str,
    *,
    chosen: tuple[tuple[str, str], ...],
    source: Path | None,
    target: Path | None,
    bom: bool,
    reviewer: str | None,
    project: str,
    as_json: bool,
    **said: Any,  # noqa: ANN401 - the options that go with --set
) -> int:
    """Judge transcripts of RUN, or show what was said of them and how far WER says the same.

    Example: eval-pipeline stt feedback first --set clip-7 gemini-2.5-flash --wrong --tag name --comment "the village"
    """
    _check_together(
        {"--set": bool(chosen), "--import": source is not None, "--export": target is not None},
        {"--set": {_option(name) for name in _SAYING if said[name] not in (None, False, ())}},
        bom=bom,
        reviewer=reviewer is not None,
    )
    deployment, key = open_deployment(), RunKey.of(project=project, run=run)
    if chosen:
        _set(deployment, key, chosen, change=_change(**said), reviewer=reviewer, as_json=as_json)
    elif source is not None:
        return _import(deployment, key, source, reviewer=reviewer, as_json=as_json)
    elif target is not None:
        _export(deployment, key, target, bom=bom, as_json=as_json)
    else:
        _show(deployment, key, as_json=as_json)
    return 0


def _option(name: str) -> str:
    return {"tags": "--tag", "no_tags": "--no-tags"}.get(name, f"--{name}")


def _check_together(actions: dict[str, bool], given: dict[str, set[str]], *, bom: bool, reviewer: bool) -> None:
    """Refuse options that do not go together, rather than pass one of them over."""
    asked = [name for name, is_asked in actions.items() if is_asked]
    saying = given["--set"]
    marks = sorted(saying & {"--correct", "--wrong", "--clear"})
    problems = {
        f"{' and '.join(asked)} do not go together": len(asked) > 1,
        f"{' and '.join(sorted(saying))} without --set SAMPLE MODEL": bool(saying) and asked != ["--set"],
        f"{' and '.join(marks)} contradict each other": len(marks) > 1,
        "--tag and --no-tags contradict each other": saying >= {"--tag", "--no-tags"},
        "--bom without --export": bom and asked != ["--export"],
        "--reviewer without --set or --import": reviewer and asked not in (["--set"], ["--import"]),
    }
    for problem, found in problems.items():
        if found:
            raise click.UsageError(problem, ctx=click.get_current_context())


def _change(
    *, correct: bool, wrong: bool, clear: bool, comment: str | None, tags: tuple[str, ...], no_tags: bool
) -> Change:
    flags = {"correct": correct, "wrong": wrong, "clear": clear}
    mark: bool | Untouched | None = next((_MARKS[name] for name, is_given in flags.items() if is_given), UNTOUCHED)
    return Change(
        is_correct=mark,
        comment=UNTOUCHED if comment is None else checked_comment(comment),
        tags=checked_tags(tags) if tags or no_tags else UNTOUCHED,
    )


def _set(
    deployment: Deployment,
    key: RunKey,
    chosen: Sequence[tuple[str, str]],
    *,
    change: Change,
    reviewer: str | None,
    as_json: bool,
) -> None:
    from eval_pipeline.stt_eval.feedback import VerdictChange, set_verdicts  # noqa: PLC0415 - pyarrow

    changes = [VerdictChange(sample, model, change) for sample, model in chosen]
    judged = set_verdicts(deployment, key, changes, reviewer=requester() if reviewer is None else reviewer)
    waiting = _waiting(deployment, key)
    if as_json:
        verdicts = [judged_json(one) for one in judged]
        stale = {"report_is_stale": waiting is not None}
        write_json({"run": key.run, "project": key.project, "verdicts": verdicts, **stale})
    else:
        write_judged(judged)


def _import(deployment: Deployment, key: RunKey, source: Path, *, reviewer: str | None, as_json: bool) -> int:
    from eval_pipeline.stt_eval.feedback_files import import_verdicts  # noqa: PLC0415 - pyarrow

    came = import_verdicts(deployment, key, source, reviewer=requester() if reviewer is None else reviewer)
    for warning in came.warnings:
        write_warning(warning)
    for conflict in came.conflicts:
        write_warning(f"{conflict}\nnothing of this row was recorded; export again to see both, or say it with --set")
    waiting = _waiting(deployment, key) if came.changed else None
    if as_json:
        counts = {"changed": came.changed, "unchanged": came.unchanged, "conflicts": list(came.conflicts)}
        write_json({"run": key.run, "project": key.project, **counts, "report_is_stale": waiting is not None})
    elif came.changed:
        click.echo(f"verdicts recorded: {came.changed:,}; rows that said nothing new: {came.unchanged:,}")
    else:
        click.echo("nothing changed")
    return 1 if came.conflicts else 0


def _waiting(deployment: Deployment, key: RunKey) -> str | None:
    """Say, and return, that the report does not show what people said since it was written."""
    from eval_pipeline.stt_eval.report_age import newer_than_report  # noqa: PLC0415 - pyarrow

    told = newer_than_report(deployment, key)
    if told is not None:
        write_warning(told)
    return told


def _export(deployment: Deployment, key: RunKey, target: Path, *, bom: bool, as_json: bool) -> None:
    from eval_pipeline.stt_eval.feedback_files import export_verdicts  # noqa: PLC0415 - pyarrow

    rows = export_verdicts(deployment, key, target, bom=bom)
    if as_json:
        write_json({"run": key.run, "project": key.project, "output": str(target), "rows": rows})
    else:
        click.echo(f"wrote {counted(rows, 'transcript')} to {target}")


def _show(deployment: Deployment, key: RunKey, *, as_json: bool) -> None:
    from eval_pipeline.stt_eval.feedback import agreement, judged_results  # noqa: PLC0415 - pyarrow

    judged = judged_results(deployment, key)
    try:
        found = agreement(deployment, key)
    except (NotFoundError, ConflictError) as error:  # scores that are missing, or of earlier transcripts
        found = None
        write_warning(f"no agreement with WER: {error}")
    if as_json:
        document = {"run": key.run, "project": key.project, "verdicts": [judged_json(one) for one in judged]}
        write_json({**document, "agreement": None if found is None else agreement_json(found)})
        return
    write_judged(judged)
    if found is not None:
        write_agreement(found)
