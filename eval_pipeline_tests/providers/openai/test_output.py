"""What of a response is the answer, what stands beside it, and what it costs beside its tokens.

The documents in ``cases`` are rewritten from public reports: a01 langchain4j#6399, a05 dify#17935, a26 olmo-eval#361,
a28 litellm#13810, a30 litellm#15227.
"""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from eval_pipeline.core.outcomes import PLAINLY, Attempt, AttemptOutcome, Served, settle
from eval_pipeline.core.runs import RunMode
from eval_pipeline.dispatch.records import decode, encode
from eval_pipeline.providers.openai.responses import parse_response
from eval_pipeline.providers.prices import PublishedPrices

CASES = Path(__file__).parent / "cases"
AT = datetime(2026, 11, 1, tzinfo=UTC)


def parse(document: object) -> Attempt:
    return parse_response(200, orjson.dumps(document), {"content-type": "application/json"})


def case(name: str) -> Attempt:
    return parse(orjson.loads((CASES / f"{name}.json").read_bytes()))


def message(text: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a message
    return {"type": "message", "content": [{"type": "output_text", "text": text}], **fields}


def price(attempt: Attempt) -> Decimal | None:
    assert attempt.usage is not None
    found = PublishedPrices().price(
        model=attempt.model or "", usage=attempt.usage, mode=RunMode.FAST, at=AT, served=attempt.served
    )
    return None if found is None else found.usd


def test_of_several_phases_the_final_one_is_the_answer() -> None:
    attempt = case("a01")

    assert (attempt.outcome, attempt.text, attempt.thinking) == (AttemptOutcome.OK, "Block B", "Let me look that up.")


def test_commentary_without_a_final_answer_is_no_answer() -> None:
    attempt = parse({"status": "completed", "output": [message("Looking …", phase="commentary")]})

    assert (attempt.outcome, attempt.text, attempt.thinking) == (AttemptOutcome.EMPTY, None, "Looking …")
    assert attempt.error is not None
    assert attempt.error.message == "the model gave commentary and no final answer"


def test_reasoning_is_kept_beside_the_answer_and_survives_the_journal() -> None:
    reasoning = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "B or C?"}]}
    attempt = parse({"status": "completed", "output": [reasoning, message("C")], "service_tier": "flex"})
    record = settle("q1#1", attempt, attempts=1)

    assert (attempt.text, attempt.thinking) == ("C", "B or C?")
    assert decode(encode(record)) == record


def test_a_function_that_nobody_executes_is_named_as_the_cause() -> None:
    error = case("a05").error

    assert error is not None
    assert (
        error.message == "the model called the function 'lookup' instead of answering; nobody executes functions here"
    )


def test_a_call_is_priced_by_the_tier_that_answered() -> None:
    assert case("a28").served == Served("flex")
    assert price(case("a28")) == Decimal("0.000225")
    assert case("a01").served == PLAINLY
    untold = {"service_tier": "flex", "model": "gpt-4o-mini"}
    assert price(parse({**orjson.loads((CASES / "a28.json").read_bytes()), **untold})) is None


@pytest.mark.parametrize(
    ("item", "fee"),
    [
        ({"type": "web_search_call", "action": {"type": "search"}}, "0.01"),
        ({"type": "web_search_call", "action": {"type": "open_page"}}, "0"),
        ({"type": "file_search_call"}, "0.0025"),
        ({"type": "code_interpreter_call"}, None),
        ({"type": "image_generation_call"}, None),
        ({"type": "mcp_call"}, "0"),
        ({"type": "web_search_call", "status": "failed"}, "0"),
    ],
)
def test_known_fees_of_hosted_tools_are_added_and_unknown_ones_make_the_price_unknown(
    item: dict[str, Any], fee: str | None
) -> None:
    document = orjson.loads((CASES / "a30.json").read_bytes())
    document["output"][0] = item

    assert price(parse(document)) == (None if fee is None else Decimal("0.00075") + Decimal(fee))
