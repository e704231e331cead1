from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.outcomes import PLAINLY, BilledCall, ItemError, ItemRecord, ItemStatus, Served, Usage
from eval_pipeline.core.ports.prices import Price
from eval_pipeline.core.runs import RunMode
from eval_pipeline.core.tallies import ItemCost, RecordTally, missing_record, price_item
from eval_pipeline.runs.answers import request_body
from eval_pipeline.text_eval import tables
from eval_pipeline.text_eval.request import TextRequest
from eval_pipeline.text_eval.spec import TextSpec, build_model_body
from eval_pipeline.text_eval.stages.responses import response_row

NOW = datetime(2026, 11, 21, tzinfo=UTC)
USAGE = Usage(input=100, cached_input=10, output=50, reasoning=5, total=150)


class Book:
    """One dollar a token of known models."""

    def price(self, *, model: str, usage: Usage, mode: RunMode, at: datetime, served: Served = PLAINLY) -> Price | None:
        del mode, at, served
        return Price(usd=Decimal(usage.total), rate="standard") if model.startswith("known") else None


TARIFF = Tariff(book=Book(), model="known", mode=RunMode.FAST)
UNKNOWN = Tariff(book=Book(), model="unheard-of", mode=RunMode.FAST)


def _ok(number: int = 1, **changes: Any) -> ItemRecord:  # noqa: ANN401 - any field
    given: Mapping[str, Any] = {"answer": "42", "model": "known-1", "usage": USAGE, "latency_s": 0.5}
    return ItemRecord(f"q{number}#1", ItemStatus.OK, **{**given, **changes})


def _failed(number: int = 1, **changes: Any) -> ItemRecord:  # noqa: ANN401 - any field
    error = ItemError(code="server_error", type="server_error", message="down", transient=True)
    return ItemRecord(f"q{number}#1", ItemStatus.FAILED, error=error, **changes)


def _spec(body: Mapping[str, Any]) -> TextSpec:
    return TextSpec(
        dataset_name="golden",
        dataset_version="0" * 64,
        original_items_count=1,
        repeats=1,
        mode=RunMode.FAST,
        endpoint="openai",
        model_body=build_model_body(TextRequest(dataset="golden", model_body=body)),
        embedding_endpoint="openai",
        embedding_model="text-embedding-3-large",
        embedding_dimensions=None,
        scorers=(),
        failure_threshold=0.5,
        concurrency=1,
    )


def test_the_body_is_passed_through_with_the_question_as_input() -> None:
    body = {"model": "gpt-5", "tools": [{"type": "file_search"}], "reasoning": {"effort": "low"}, "metadata": None}

    assert request_body(_spec(body).model_body, "Why?\n") == {**body, "input": "Why?\n"}


def test_an_item_costs_its_call_and_its_retries() -> None:
    retried = Usage(input=1, total=1)

    assert price_item(_ok(retried=(BilledCall(retried),)), TARIFF, at=NOW) == ItemCost(Decimal(151))


class TieredBook:
    """A cent a token, ten times that for the dear model, and twice for requests beyond 150 tokens."""

    def price(self, *, model: str, usage: Usage, mode: RunMode, at: datetime, served: Served = PLAINLY) -> Price | None:
        del mode, at, served
        cents = {"cheap": 1, "dear": 10}.get(model)
        tier = 2 if usage.input > 150 else 1
        return None if cents is None else Price(usd=Decimal(cents * tier * usage.total) / 100, rate="standard")


@pytest.mark.parametrize(
    ("asked", "answered_by", "usd"),
    [
        ("cheap", "cheap", "2"),
        ("cheap", "dear", "11"),
        ("cheap", None, "2"),
        ("dear", None, "11"),
        ("unheard-of", None, None),
    ],
)
def test_every_call_of_an_item_is_priced_by_itself(asked: str, answered_by: str | None, usd: str | None) -> None:
    """Together they would fall under the price of long requests, which neither of them was."""
    call = Usage(input=100, total=100)
    tariff = Tariff(book=TieredBook(), model=asked, mode=RunMode.FAST)
    record = _ok(model="cheap", usage=call, retried=(BilledCall(call, answered_by),))

    assert price_item(record, tariff, at=NOW).usd == (None if usd is None else Decimal(usd))


def test_an_item_is_priced_at_the_model_that_answered() -> None:
    assert price_item(_ok(model="known-2026"), UNKNOWN, at=NOW) == ItemCost(Decimal(150))
    assert price_item(_ok(model="unheard-of-2026"), TARIFF, at=NOW) == ItemCost(Decimal(150))
    assert price_item(_ok(model="unheard-of-2026"), UNKNOWN, at=NOW) == ItemCost(None)


@pytest.mark.parametrize("status", [ItemStatus.OK, ItemStatus.EMPTY, ItemStatus.INCOMPLETE, ItemStatus.REFUSED])
def test_a_model_that_answered_and_told_no_tokens_is_of_unknown_price_never_free(status: ItemStatus) -> None:
    assert price_item(ItemRecord("q1#1", status), TARIFF, at=NOW) == ItemCost(None)


@pytest.mark.parametrize("record", [_failed(), missing_record("q1#1")])
def test_a_call_that_failed_and_told_no_tokens_is_free(record: ItemRecord) -> None:
    assert price_item(record, UNKNOWN, at=NOW) == ItemCost(Decimal(0))


def test_rows_fit_their_table() -> None:
    cut = ItemRecord("q3#1", ItemStatus.INCOMPLETE, partial_answer="half", usage=USAGE, response_id="resp_1")
    rows = [
        response_row(_ok(1), ItemCost(Decimal("0.000123456789012345"))),
        response_row(_failed(2, attempts=5, retried=(BilledCall(USAGE),)), ItemCost(None)),
        response_row(cut, ItemCost(Decimal(0))),
    ]

    table = pa.Table.from_pylist(rows, schema=tables.RESPONSES)

    assert table.to_pylist() == rows
    assert [row["answer"] for row in rows] == ["42", None, None]
    assert rows[1]["error_message"] == "down"
    assert rows[1]["retried_output_tokens"] == 50


def test_the_tally_counts_over_the_whole_dataset() -> None:
    tally = RecordTally(threshold=0.5, model="known")
    for record in (
        _ok(1),
        _ok(2, attempts=3),
        _failed(3, attempts=5, retried=(BilledCall(USAGE),)),
        missing_record("q4#1"),
    ):
        tally.add(record, price_item(record, TARIFF, at=NOW))

    summary = tally.summary(rate="standard").to_json()

    assert summary["counts"] == {
        "total": 4,
        "ok": 2,
        "failed": 2,
        "by_status": {"failed": 1, "missing": 1, "ok": 2},
    }
    assert summary["threshold"]["breached"] is False
    assert summary["cost"]["cost_usd"] == 450
    assert summary["cost"]["total_tokens"] == 450
    assert summary["attempts"] == 1 + 3 + 5 + 0
    assert summary["models"] == {"known-1": 2}
    assert summary["latency_s"] == {"p50": 0.5, "p95": 0.5, "max": 0.5}


def test_one_item_of_unknown_price_makes_the_cost_unknown_and_says_how_many() -> None:
    tally = RecordTally(threshold=0.5, model="known")
    tally.add(_ok(1), ItemCost(Decimal(1)))
    tally.add(_ok(2, usage=None), ItemCost(None))

    summary = tally.summary(rate="standard").to_json()

    assert summary["cost"]["cost_usd"] is None
    assert summary["unpriced_items"] == 1
    assert summary["items_without_usage"] == 1


def test_calls_that_reported_nothing_are_told_beside_a_cost_that_stays_a_number() -> None:
    tally = RecordTally(threshold=0.5, model="known")
    for record in (_ok(1, unreported_calls=2), _failed(2, unreported_calls=5)):
        tally.add(record, price_item(record, TARIFF, at=NOW))

    summary = tally.summary(rate="standard").to_json()

    assert summary["cost"]["cost_usd"] == 150
    assert (summary["unreported_calls"], summary["items_without_usage"]) == (7, 0)


def test_no_items_have_no_latency_and_are_a_breach() -> None:
    summary = RecordTally(threshold=1.0, model="known").summary(rate="standard").to_json()

    assert summary["latency_s"] is None
    assert summary["threshold"] == {"value": 1.0, "observed": None, "breached": True, "failed": 0, "total": 0}
    assert summary["cost"]["model"] == "known"
