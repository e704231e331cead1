"""``eval-pipeline dataset``: golden datasets under names, in immutable versions."""

from pathlib import Path
from typing import Any

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.output import common_options, page_footer, write_json, write_table
from eval_pipeline.core.datasets import DatasetKind, DatasetVersion
from eval_pipeline.core.names import validate_dataset_name, validate_project

SHOWN_SKIPS = 10


@click.group(name="dataset")
def command() -> None:
    """Golden datasets."""


@command.command()
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice([str(DatasetKind.TEXT)]), default=str(DatasetKind.TEXT), show_default=True)
@click.option("--duplication-factor", type=int, help="How often each question is asked; default 1.")
@click.option("--description", help="What it is, for people.")
@common_options
def add(
    name: str,
    file: Path,
    *,
    kind: str,
    duplication_factor: int | None,
    description: str | None,
    project: str,
    as_json: bool,
) -> None:
    """Add FILE (CSV or JSONL with question and answer) as a version of dataset NAME."""
    from eval_pipeline.wiring.catalog import add_dataset  # noqa: PLC0415 - pyarrow: not for list and show

    deployment = open_deployment()
    added = add_dataset(
        ledger=deployment.ledger,
        objects=deployment.objects,
        project=validate_project(project),
        name=name,
        path=file,
        kind=DatasetKind(kind),
        duplication_factor=duplication_factor,
        description=description,
        settings=deployment.settings,
    )
    if as_json:
        write_json({**dataset_json(added.dataset, deployment.settings.fast_max_unique_rows), "created": added.created})
        return
    click.echo(("added " if added.created else "already there: ") + _headline(added.dataset))
    _write_problems(added.dataset)


@command.command(name="list")
@click.option("--eligible-for", type=click.Choice(["fast"]), help="Only datasets that such a run may take.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True)
@common_options
def list_datasets(*, eligible_for: str | None, limit: int, offset: int, project: str, as_json: bool) -> None:
    """List the newest version of every dataset, newest first."""
    deployment = open_deployment()
    cap = deployment.settings.fast_max_unique_rows
    page = deployment.ledger.list_datasets(
        project=validate_project(project),
        kind=None,
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
            dataset.original_items_count,
            dataset.total_items_count,
            "yes" if dataset.eligible_for_fast(cap) else "no",
            f"{dataset.created_at:%Y-%m-%d %H:%M}",
        )
        for dataset in page.items
    ]
    write_table(("NAME", "VERSION", "QUESTIONS", "ITEMS", "FAST", "ADDED (UTC)"), rows)
    click.echo(f"{page_footer(page)}; FAST: at most {cap:,} questions (EVAL_FAST_MAX_UNIQUE_ROWS)")


@command.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@common_options
def show(reference: str, *, project: str, as_json: bool) -> None:
    """Show a dataset and its versions."""
    deployment = open_deployment()
    name, version = split_reference(reference)
    dataset = deployment.ledger.find_dataset(project=validate_project(project), name=name, version=version)
    versions = deployment.ledger.dataset_versions(project=project, name=dataset.name)
    if as_json:
        document = dataset_json(dataset, deployment.settings.fast_max_unique_rows)
        write_json({**document, "versions": [one.version for one in versions]})
        return
    click.echo(_headline(dataset))
    click.echo(
        f"encoding {dataset.encoding}, {dataset.size_bytes:,} bytes, added {dataset.created_at:%Y-%m-%d %H:%M} UTC"
    )
    if dataset.description:
        click.echo(dataset.description)
    click.echo(f"stored at {deployment.objects.url(dataset.prefix)}")
    click.echo("versions, newest first: " + ", ".join(one.version[:12] for one in versions))
    _write_problems(dataset)


@command.command()
@click.argument("reference", metavar="NAME[@VERSION]")
@common_options
def delete(reference: str, *, project: str, as_json: bool) -> None:
    """Delete a dataset or one version; refused while a run uses it, and kept in storage for audit."""
    deployment = open_deployment()
    name, version = split_reference(reference)
    count = deployment.ledger.delete_dataset(project=validate_project(project), name=name, version=version)
    if as_json:
        write_json({"name": name, "deleted_versions": count})
        return
    click.echo(f"deleted {count} version(s) of {name}")


def split_reference(reference: str) -> tuple[str, str | None]:
    """Split ``NAME[@VERSION]``."""
    name, _, version = reference.partition("@")
    return validate_dataset_name(name), version or None


def dataset_json(dataset: DatasetVersion, fast_cap: int) -> dict[str, Any]:
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


def _headline(dataset: DatasetVersion) -> str:
    repeats = f" x {dataset.duplication_factor}" if dataset.duplication_factor > 1 else ""
    return f"{dataset.name} @ {dataset.version[:12]}: {dataset.original_items_count:,} questions{repeats}"


def _write_problems(dataset: DatasetVersion) -> None:
    for warning in dataset.warnings:
        click.echo(f"warning: {warning}", err=True)
    for row in dataset.skipped_rows[:SHOWN_SKIPS]:
        click.echo(f"skipped line {row.line}: {row.reason}", err=True)
    more = dataset.skipped_rows_count - min(SHOWN_SKIPS, len(dataset.skipped_rows))
    if more > 0:
        click.echo(f"and {more:,} more skipped rows (dataset show --json lists them)", err=True)
