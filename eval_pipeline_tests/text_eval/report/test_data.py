"""The cost document as values."""

from decimal import Decimal

from eval_pipeline.text_eval.report.data import Cost


def test_unknown_prices_and_stages_that_did_not_run_stay_unknown() -> None:
    cost = Cost.from_json({"response": {"model": "m", "cost_usd": None}, "embedding": None, "total_cost_usd": None})

    (line,) = cost.lines
    assert (line.stage, line.model, line.cost_usd, line.input_tokens) == ("response", "m", None, None)
    assert cost.total_usd is None


def test_amounts_are_exact() -> None:
    assert Cost.from_json({"total_cost_usd": 0.1}).total_usd == Decimal("0.1")
