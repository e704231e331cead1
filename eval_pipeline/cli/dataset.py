"""``eval-pipeline dataset``: golden questions and audio under names, in immutable versions."""

import sys
from collections.abc import Sequence

import click

from eval_pipeline.cli.additions import Addition, add_any
from eval_pipeline.cli.audio_view import audio_json, audio_lines
from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.output import common_options, page_footer, write_json, write_table
from eval_pipeline.core.counting import counted
from eval_pipeline.core.datasets import DatasetKind, DatasetVersion, split_reference
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown, validate_dataset_name, validate_project
from eval_pipeline.stt_eval.clips.stored_manifest import require_audio_manifest
from eval_pipeline.wiring.deployment import Deployment

SHOWN_SKIPS = 10


KINDS = click.Choice([str(kind) for kind in DatasetKind])


@click.group(name="dataset")
def command() -> None:
    """Datasets: golden questions, or audio with transcripts."""


@command.command()
@click.argument("name")
@click.argument("source")
@click.option("--kind", type=KINDS, default=str(DatasetKind.TEXT), show_default=True)
@click.option("--duplication-factor", type=int, help="How often each question is asked; default 1. Only for text.")
@click.option("--language", metavar="TAG", help="Of samples that name none, such as hi or hi-IN. Only for stt.")
@click.option(
    "--golden-column",
    "golden_columns",
    metavar="COLUMN",
    multiple=True,
    help="A column with an accepted answer; repeatable: the best of them counts. Only for text.",
)
@click.option("--sheet", metavar="NAME", help="Of a workbook with several that could be meant. Only for text.")
@click.option("--description", help="What it is, for people.")
@common_options
def add(
    name: str,
    source: str,
    *,
    kind: str,
    duplication_factor: int | None,
    language: str | None,
    golden_columns: tuple[str, ...],
    sheet: str | None,
    description: str | None,
    project: str,
    as_json: bool,
) -> None:
    """Add SOURCE as a version of dataset NAME.

    For text: a CSV, JSONL or .xlsx file with question and answer. For stt: a CSV or JSONL manifest with audio,
    reference and language, a folder with clips, or either below s3://bucket/.
    """
    deployment = open_deployment()
    added = add_any(
        deployment,
        DatasetKind(kind),
        Addition(
            name=name,
            source=source,
            factor=duplication_factor,
            language=language,
            golden_columns=golden_columns,
            sheet=sheet,
            about=description,
            project=project,
        ),
    )
    if as_json:
        write_json({**_document(deployment, added.dataset), "created": added.created})
        return
    click.echo(("added " if added.created else "already there: ") + _headline(added.dataset))
    _write_facts(deployment, added.dataset)
    _write_problems(added.dataset)


@command.command(name="list")
@click.option("--kind", type=KINDS, help="Only datasets of this kind.")
@click.option("--eligible-for", type=click.Choice(["fast"]), help="Only text datasets that such a run may take.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True)
@common_options
def list_datasets(
    *, kind: str | None, eligible_for: str | None, limit: int, offset: int, project: str, as_json: bool
) -> None:
    """List the newest version of every dataset, newest first."""
    deployment = open_deployment()
    cap = deployment.settings.fast_max_unique_rows
    page = deployment.ledger.list_datasets(
        project=validate_project(project),
        kind=DatasetKind.TEXT if eligible_for else DatasetKind(kind) if kind else None,
        max_unique_rows=cap if eligible_for else None,
        limit=limit,
        offset=offset,
    )
    if as_json:
        listed = [dataset_json(dataset, cap) for dataset in page.items]
        write_json({"datasets": listed, "total": page.total, "limit": page.limit, "offset": page.offset})
        return
    rows = [
        (
            dataset.name,
            dataset.version[:12],
            dataset.kind,
            dataset.original_items_count,
            dataset.total_items_count,
            _fast(dataset, cap),
            f"{dataset.created_at:%Y-%m-%d %H:%M}",
        )
        for dataset in page.items
    ]
    write_table(("NAME", "VERSION", "KIND", "UNIQUE", "ITEMS", "FAST", "ADDED (UTC)"), rows)
    click.echo(f"{page_footer(page)}; FAST: at most {counted(cap, 'question')} (EVAL_FAST_MAX_UNIQUE_ROWS)")


@command.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@common_options
def show(reference: str, *, project: str, as_json: bool) -> None:
    """Show a dataset and its versions."""
    deployment = open_deployment()
    name, version = _named(reference)
    dataset = deployment.ledger.find_dataset(project=validate_project(project), name=name, version=version)
    versions = deployment.ledger.dataset_versions(project=project, name=dataset.name)
    if as_json:
        write_json({**_document(deployment, dataset), "versions": [one.version for one in versions]})
        return
    click.echo(_headline(dataset))
    click.echo(
        f"encoding {dataset.encoding}, {dataset.size_bytes:,} bytes, added {dataset.created_at:%Y-%m-%d %H:%M} UTC"
    )
    _write_facts(deployment, dataset)
    if dataset.description:
        click.echo(dataset.description)
    click.echo(f"stored at {deployment.objects.url(dataset.prefix)}")
    click.echo("versions, newest first: " + ", ".join(one.version[:12] for one in versions))
    _write_problems(dataset)


@command.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@click.option("--all", "every", is_flag=True, help="Every version of NAME.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
def delete(reference: str, *, every: bool, yes: bool, project: str, as_json: bool) -> None:
    """Delete one version, or --all; refused while a run uses it, and kept in storage for audit."""
    deployment = open_deployment()
    name, version = _named(reference)
    deployment.ledger.find_dataset(project=validate_project(project), name=name, version=version)
    versions = deployment.ledger.dataset_versions(project=project, name=name)
    if every == (version is not None):
        raise _version_or_all(name, versions, both=every)
    # a version is named by its hash, which is as good as a word; nobody could answer a script
    if not yes and (every or sys.stdin.isatty()):
        chosen = f"all of {name}, {counted(len(versions), 'version')}" if every else f"version {version} of {name}"
        click.confirm(f"Delete {chosen}?", abort=True, err=True)
    count = deployment.ledger.delete_dataset(project=project, name=name, version=version)
    if as_json:
        write_json({"name": name, "deleted_versions": count})
        return
    click.echo(f"deleted {count} version(s) of {name}")


def _named(reference: str) -> tuple[str, str | None]:
    name, version = split_reference(reference)
    return validate_dataset_name(name), version


def _version_or_all(name: str, versions: Sequence[DatasetVersion], *, both: bool) -> UsageError:
    known = ", ".join(one.version[:12] for one in versions[:5])
    said = "a version and --all were given" if both else f"no version was named, of {counted(len(versions), 'version')}"
    return UsageError(
        f"dataset {shown(name)}: {said}",
        code="dataset_version_missing",
        hint=f"name one, {name}@VERSION ({known}), or delete them all: --all",
    )


def dataset_json(dataset: DatasetVersion, fast_cap: int) -> JsonDict:
    """Return the JSON form of a version."""
    return {
        "project": dataset.project,
        "name": dataset.name,
        "version": dataset.version,
        "kind": str(dataset.kind),
        "original_items_count": dataset.original_items_count,
        "duplication_factor": dataset.duplication_factor,
        "total_items_count": dataset.total_items_count,
        "eligible_for_fast": dataset.eligible_for_fast(fast_cap),
        "encoding": dataset.encoding,
        "size_bytes": dataset.size_bytes,
        "skipped_rows_count": dataset.skipped_rows_count,
        "skipped_rows": [{"line": row.line, "reason": row.reason} for row in dataset.skipped_rows],
        "warnings": list(dataset.warnings),
        "description": dataset.description,
        "created_at": dataset.created_at.isoformat(),
    }


def _document(deployment: Deployment, dataset: DatasetVersion) -> JsonDict:
    """Return the JSON form of a version with what its own manifest tells."""
    document = dataset_json(dataset, deployment.settings.fast_max_unique_rows)
    if dataset.kind is DatasetKind.STT:
        document["audio"] = audio_json(require_audio_manifest(deployment.objects, dataset))
    return document


def _fast(dataset: DatasetVersion, cap: int) -> str | None:
    if dataset.kind is not DatasetKind.TEXT:
        return None
    return "yes" if dataset.eligible_for_fast(cap) else "no"


def _headline(dataset: DatasetVersion) -> str:
    repeats = f" x {dataset.duplication_factor}" if dataset.duplication_factor > 1 else ""
    items = counted(dataset.original_items_count, dataset.kind.item)
    return f"{dataset.name} @ {dataset.version[:12]}: {items}{repeats}"


def _write_facts(deployment: Deployment, dataset: DatasetVersion) -> None:
    if dataset.kind is DatasetKind.STT:
        for line in audio_lines(require_audio_manifest(deployment.objects, dataset)):
            click.echo(line)


def _write_problems(dataset: DatasetVersion) -> None:
    for warning in dataset.warnings:
        click.echo(f"warning: {warning}", err=True)
    for row in dataset.skipped_rows[:SHOWN_SKIPS]:
        click.echo(f"skipped line {row.line}: {row.reason}", err=True)
    more = dataset.skipped_rows_count - min(SHOWN_SKIPS, len(dataset.skipped_rows))
    if more > 0:
        click.echo(f"and {counted(more, 'more skipped row')} (dataset show --json lists them)", err=True)
