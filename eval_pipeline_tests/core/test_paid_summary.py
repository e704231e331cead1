"""What paid stages say of themselves: every version's manifests are read, and nothing that they told is lost."""

import json
import tarfile
from decimal import Decimal
from typing import Any

import pytest

from eval_pipeline.core.cost import Costs, StageCost
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.paid_standing import PaidStanding
from eval_pipeline.core.paid_summary import Calls, ItemCounts, Latency, ModelSummary, PaidSummary
from eval_pipeline.core.reasons import Reason
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline_tests.golden_homes.opened import ARCHIVES

REASONS = (Reason("rate_limited", "slow down", 2), Reason("http_500", "down", 1))
VERDICT = Threshold(0.5, failed=3, total=8, reasons=REASONS)
CAREFUL = StageCost(
    model="careful-1", usage=Usage(input=10, output=2, total=12), priced_usd=Decimal("0.1"), rate="batch"
)
HASTY = StageCost(model="hasty-1", usage=Usage(input=10, output=2, total=12), unpriced=1)
SUMMARIES = {
    "one model": PaidSummary(
        threshold=VERDICT,
        mode="batch",
        requests=11,
        counts=ItemCounts(8, 5, 3, {"failed": 3, "ok": 5}),
        cost=CAREFUL,
        calls=Calls(
            unpriced_items=0,
            items_without_usage=0,
            unreported=1,
            unpriced_services={},
            models={"careful-1": 5},
            endpoints={"http://127.0.0.1/v1": 8},
            attempts=11,
            latency_s=Latency(),
        ),
        batch_notes=["one came twice"],
    ),
    "a panel": PaidSummary(
        threshold=VERDICT,
        mode="fast",
        counts=ItemCounts(8, 5, 3, {"failed": 3, "ok": 5}),
        cost=Costs.of({"auditor": CAREFUL, "operator": HASTY}),
        calls=Calls(endpoints={"http://127.0.0.1/v1": 4, "http://127.0.0.2/v1": 4}, latency_s=Latency(0.5, 0.9, 1.0)),
        by_model={"auditor": ModelSummary(ItemCounts(4, 4, 0, {"ok": 4}), Latency(0.5, 0.9, 1.0))},
        faults=["operator: 401; mend the key"],
    ),
    "vectors": PaidSummary(
        threshold=VERDICT,
        counts=ItemCounts(8, 5, 3, others={"failed_embeddings": 1, "not_answered": 2}),
        cost=StageCost(model="vectors"),
        calls=Calls(unreported=0, calls_without_usage=2),
        own={"texts": 10, "dimensions": None},
    ),
    "nothing to do": PaidSummary(threshold=VERDICT, note="no scorer compares embeddings", requests=0),
}


@pytest.mark.parametrize("summary", SUMMARIES.values(), ids=SUMMARIES)
def test_a_summary_is_read_back_as_it_was_written(summary: PaidSummary) -> None:
    stored = json.dumps(summary.to_json())

    read = PaidSummary.from_json(json.loads(stored))

    assert json.dumps(read.to_json()) == stored
    assert (read.threshold, read.counts, read.calls) == (summary.threshold, summary.counts, summary.calls)


def test_a_cost_names_those_whose_price_nobody_publishes() -> None:
    panel = SUMMARIES["a panel"]
    assert panel.cost is not None
    assert (panel.cost.cost_usd, panel.cost.unpriced_models, panel.known_usd) == (None, ("operator",), 0)
    assert SUMMARIES["one model"].known_usd == Decimal("0.1")


def test_costs_of_stages_are_joined_whether_they_ask_one_or_several() -> None:
    joined = Costs.join({"judgement": Costs.of({"auditor": CAREFUL}), "embedding": CAREFUL, "nobody": None})

    assert (list(joined.parts), joined.cost_usd) == (["auditor", "embedding"], Decimal("0.2"))


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda path: path.name)
def test_what_earlier_versions_stored_is_read_whole(archive: Any) -> None:  # noqa: ANN401 - a path, as pytest has it
    stored = list(_paid_summaries(archive))

    assert {stage for stage, _ in stored} == {"responses", "embeddings", "transcripts"}
    for _, summary in stored:
        assert PaidSummary.from_json(summary).to_json() == summary


def _paid_summaries(archive: Any) -> Any:  # noqa: ANN401 - an iterator over JSON
    with tarfile.open(archive) as packed:
        for member in packed:
            stage = member.name.split("/")[-2] if member.name.endswith("/manifest.json") else None
            if stage in {"responses", "embeddings", "transcripts"}:
                yield stage, json.load(packed.extractfile(member))["summary"]  # type: ignore[arg-type]  # it is a file


def test_where_a_run_stands_is_read_back_from_its_document() -> None:
    finished = PaidStanding(
        counts=ItemCounts(8, 5, 3, {"failed": 3, "ok": 5}, {"embedding_failed": None}),
        allowed=0.5,
        verdict=VERDICT,
        reasons=list(REASONS),
        cost=Costs.of({"auditor": CAREFUL}),
    )
    begun = PaidStanding(counts=ItemCounts(8, 1, 1), allowed=0.5, reasons=[REASONS[0]])

    for standing, unfinished in ((finished, 0), (begun, 6)):
        document = {
            "counts": standing.counts_json(),
            "threshold": standing.threshold_json(),
            "cost": standing.cost_json(),
        }
        assert PaidStanding.of(json.loads(json.dumps(document))) == standing
        assert document["counts"]["unfinished"] == standing.unfinished == unfinished


def test_amounts_are_read_as_they_were_written_and_what_is_unknown_stays_unknown() -> None:
    unknown = Costs.of({"response": HASTY}).to_json()

    assert Costs.from_json({"total_cost_usd": 0.1}).cost_usd == Decimal("0.1")
    assert Costs.from_json({**unknown, "embedding": None}).to_json() == unknown
