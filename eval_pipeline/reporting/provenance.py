"""What proves where a report's numbers come from: the run, its dataset, and the stages that were read."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from markupsafe import Markup

from eval_pipeline.core.endpoints import read_endpoints
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.stages import Manifest
from eval_pipeline.reporting.markup import timed
from eval_pipeline.reporting.table import NONE, Cell, Column, Table


@dataclass(frozen=True, slots=True)
class StageFact:
    """What a stage's manifest says of itself."""

    stage: str
    rows: int
    sha256: str
    code_version: str
    created_at: datetime
    batch_notes: Sequence[str] = ()
    """What a reader should know of the batches that the stage was collected from."""
    endpoints: Mapping[str, int] = field(default_factory=dict)
    """Items by the address that answered; nothing where nobody was asked."""

    @classmethod
    def of(cls, manifest: Manifest) -> Self:
        """Take the facts that a report tells."""
        paid = PaidSummary.find(manifest)
        return cls(
            stage=manifest.stage.stage,
            rows=manifest.rows,
            sha256=manifest.sha256,
            code_version=manifest.code_version,
            created_at=manifest.created_at,
            batch_notes=() if paid is None else paid.batch_notes,
            endpoints=(paid and paid.calls.endpoints) or {},
        )


def provenance_table(
    run: RunRecord, stages: Sequence[StageFact], *, written_at: datetime, settings: Iterable[tuple[str, str]] = ()
) -> Table:
    """Tabulate what proves where the numbers come from.

    Args:
        run: whose report it is.
        stages: that the report was made from.
        written_at: when it was.
        settings: what else of the flow moves its numbers, each with its name.
    """
    facts = [
        ("Run", run.key.partition),
        ("Dataset", run.dataset_name),
        ("Dataset version (sha256)", run.dataset_version),
        ("Specification (sha256)", run.spec_hash),
        *settings,
        *_endpoints(run, stages),
        ("Code version", ", ".join(sorted({stage.code_version for stage in stages})) or NONE),
        ("Requested by", run.requested_by),
        ("Requested at", f"{run.created_at:%Y-%m-%d %H:%M:%S %Z}"),
        ("Report written at", f"{written_at:%Y-%m-%d %H:%M:%S %Z}"),
        *((f"Stage {stage.stage}, manifest (sha256)", stage.sha256) for stage in stages),
        *((f"Stage {stage.stage}, batches", note) for stage in stages for note in stage.batch_notes),
    ]
    return Table(
        caption="What this report was made from",
        columns=[Column("What"), Column("Value")],
        rows=[[Cell(name), _mono(value)] for name, value in facts],
    )


def answered_elsewhere(run: RunRecord, stages: Iterable[StageFact]) -> Mapping[str, int]:
    """Return items by the address that answered them; nothing where all were answered as the run was specified."""
    answered: Counter[str] = Counter()
    for stage in stages:
        answered.update(stage.endpoints)
    frozen = {endpoint.base_url.rstrip("/") for endpoint in read_endpoints(run.spec).values()}
    return answered if frozen and any(address.rstrip("/") not in frozen for address in answered) else {}


def _endpoints(run: RunRecord, stages: Sequence[StageFact]) -> Iterator[tuple[str, str]]:
    for name, endpoint in read_endpoints(run.spec).items():
        account = f", account {endpoint.account}" if endpoint.account else ""
        yield f"Endpoint {name}", f"{endpoint.base_url} ({endpoint.protocol}{account})"
    if answered := answered_elsewhere(run, stages):
        yield "Answered by", ", ".join(f"{address}: {items:,}" for address, items in answered.items())


def _mono(value: str) -> Cell:
    return Cell(value, html=Markup("<code>{}</code>").format(timed(value)), trusted=False)
