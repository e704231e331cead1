"""What the Dagster UI shows of every stage: counts, means with intervals, cost, columns, a summary and a plot."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import dagster as dg

from eval_pipeline.core.cost import cost_from_json
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.stages import Manifest
from eval_pipeline.reporting.column_words import SAYS

Metadata = dict[str, Any]
_DIGITS = 6


def describe(stage: StageReader) -> Metadata:
    """Return the metadata of one materialization; all of it is read from the manifest."""
    manifest = stage.manifest
    return {**facts_of(manifest.summary), **_table(manifest), **_provenance(manifest)}


def shown(number: float) -> float:
    """Round a number for people; the manifest keeps all of its digits."""
    return number if isinstance(number, int) else float(f"{number:.{_DIGITS}g}")


def _json(value: object) -> dg.JsonMetadataValue:
    """Show what is nested, its numbers rounded as the others are."""
    return dg.MetadataValue.json(_rounded(value))  # type: ignore[arg-type]  # a manifest's summary is JSON


def _rounded(value: object) -> object:
    match value:
        case float():
            return shown(value)
        case Mapping():
            return {name: _rounded(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_rounded(inner) for inner in value]
    return value


def _table(manifest: Manifest) -> Metadata:
    if not manifest.columns:
        return {}
    columns = [dg.TableColumn(name, type=kind, description=SAYS.get(name)) for name, kind in manifest.columns.items()]
    return {
        "dagster/row_count": manifest.rows,
        "dagster/column_schema": dg.MetadataValue.table_schema(dg.TableSchema(columns=columns)),
    }


def _provenance(manifest: Manifest) -> Metadata:
    return {
        "spec_hash": manifest.spec_hash,
        "manifest_sha256": manifest.sha256,
        "code_version": manifest.code_version,
        "inputs": _json(manifest.inputs),
        "size_bytes": sum(part.size_bytes for part in manifest.parts),
    }


def facts_of(summary: Mapping[str, Any]) -> Metadata:
    """Show what a stage says of itself: ``markdown`` and ``url`` as such, numbers so that they plot over runs."""
    facts: Metadata = {}
    for name, value in summary.items():
        facts.update(_fact(name, value))
    return facts


def _fact(name: str, value: object) -> Metadata:
    if value is None:
        return {}
    if name in _SHOWN:
        return _SHOWN[name](value)
    if isinstance(value, str | int | float):
        return {name: shown(value) if isinstance(value, float) else value}
    return {name: _json(value)}


def _place(url: str) -> dg.MetadataValue:
    """Show where a file is: browsers follow no ``file://`` link from a page, a path can be copied."""
    return dg.MetadataValue.path(unquote(urlsplit(url).path)) if url.startswith("file:") else dg.MetadataValue.url(url)


def _scores(scores: list[Mapping[str, Any]]) -> Metadata:
    fields = {"mean": "avg", "ci_low": "ci_low", "ci_high": "ci_high", "total_pairs": "total_pairs"}
    numbers = {
        f"{score['name']}_{label}": shown(score[field])
        for score in scores
        for label, field in fields.items()
        if score[field] is not None
    }
    return {**numbers, "summary_scores": _json(scores)}


def _cost(cost: Mapping[str, Any]) -> Metadata:
    known = cost_from_json(cost)
    total = None if known is None else known.cost_usd
    said = "unknown" if total is None else shown(float(total))
    return {"cost_usd": said, "cost": _json(cost)}


def _counts(counts: Mapping[str, Any]) -> Metadata:
    return {name: count for name, count in counts.items() if isinstance(count, int)}


_SHOWN: Mapping[str, Callable[[Any], Metadata]] = {
    "markdown": lambda text: {"summary": dg.MetadataValue.md(text)},
    "url": lambda url: {"report": _place(url)},
    "summary_scores": _scores,
    "cost": _cost,
    "counts": _counts,
}
