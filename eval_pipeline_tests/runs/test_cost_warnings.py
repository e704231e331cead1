"""What a person reads of a cost that nobody knows."""

from eval_pipeline.core.cost import Costs, StageCost
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.runs.cost_warnings import cost_warnings


def told(**experts: str) -> str:
    costs = Costs.of({name: StageCost(model=model, unpriced=1) for name, model in experts.items()})
    summary = PaidSummary(threshold=Threshold(0.5, failed=0, total=1), cost=costs)
    [warning] = cost_warnings({"judgements": summary}, models={name: f"own/{model}" for name, model in experts.items()})
    return warning["message"]


def test_models_without_a_price_are_named_once_each_whoever_asks_them() -> None:
    assert told(outcome="a", user="a") == "judgements: model own/a has no published price, so its cost is unknown"
    assert told(outcome="a", operator="b", user="a") == (
        "judgements: models own/a, own/b have no published price, so their cost is unknown"
    )
