"""What judging would cost, before anything is paid: tokens estimated from facts, published prices, expert by expert."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from eval_pipeline.core.cost import Costs, StageCost, as_number, estimate_tokens
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.runs import RunMode
from eval_pipeline.judging.canaries import CANARY_ITEMS, Payload
from eval_pipeline.judging.prompt import instructions
from eval_pipeline.runs.claims import Prepared
from eval_pipeline.runs.panels.judges import Judges, Seat
from eval_pipeline.session_eval.chosen import Selection
from eval_pipeline.session_eval.spec import SessionSpec
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment

CHARACTERS_A_TOKEN: Final = 3.2
"""Of sessions: texts, JSON of calls, and what stands around every line."""
TOKENS_AN_AXIS: Final = 180
"""Of an answer: reasoning, level, two quotes."""
_TOKENS_BEFORE_AXES: Final = 150
_TOKENS_OF_A_QUESTION: Final = 250
_LEAST_CACHED: Final = 1_024
"""Tokens at the begin of a request from which on providers keep them."""


def warnings_of(prepared: Prepared[SessionSpec, Selection], *, deployment: Deployment) -> list[dict[str, str]]:
    """Return what is told before a run: of its panel."""
    del deployment
    return list(prepared.notes)


def estimate_run(prepared: Prepared[SessionSpec, Selection], *, deployment: Deployment) -> JsonDict:
    """Return tokens and dollars per expert, and what they assume."""
    spec, sessions = prepared.spec, prepared.dataset.sessions
    judges = spec.judges
    shown = [int(one.facts.get("characters") or 0) / CHARACTERS_A_TOKEN + 60 for one in sessions]
    stages = {seat.id: _cost(spec, seat, usage=_usage(judges, seat, shown)) for seat in judges.seats}
    costs = Costs.of(stages)
    cached = any(_is_cached(judges, seat) for seat in judges.seats)
    return {
        "items": len(sessions) * len(judges.seats) * judges.samples,
        "stages": {expert: cost.to_json() for expert, cost in stages.items()},
        "total_cost_usd": as_number(costs.cost_usd),
        "assumptions": [
            _size(judges, shown),
            f"an answer has {TOKENS_AN_AXIS} tokens an axis",
            "not in: repairs, sessions that are judged twice because they address a judge, notes on very long ones",
            *(
                ["of experts that ask the same model live, all but the first find the session in its cache"]
                if cached
                else []
            ),
            *(
                f"model {cost.model} has no published price: its cost is unknown, not zero"
                for cost in stages.values()
                if cost.cost_usd is None
            ),
            "what another run of the project has judged already is taken over and costs nothing"
            if spec.anchors is None
            else "anchors are asked anew: nothing is taken over",
            "published prices, or own ones; batch rate where an expert is asked by batches",
        ],
        "warnings": warnings_of(prepared, deployment=deployment),
    }


def _size(judges: Judges, shown: Sequence[float]) -> str:
    average = sum(shown) / max(1, len(shown))
    times = "once" if judges.samples == 1 else f"{judges.samples} times"
    return (
        f"{counted(len(shown), 'session')} of {average:,.0f} tokens on average, "
        f"by {counted(len(judges.seats), 'expert')} {times} each, "
        f"and {_canaries(judges)} canaries"
    )


def _usage(judges: Judges, seat: Seat, shown: Sequence[float]) -> Usage:
    fixed = estimate_tokens(instructions(judges.panel.rubric)) + 60 * len(seat.expert.axes)
    own = estimate_tokens(seat.expert.prompt) + _TOKENS_OF_A_QUESTION
    limit = max(1, seat.budget_tokens)
    material = [min(tokens, float(limit)) for tokens in shown]
    average = sum(material) / max(1, len(material))
    canaries = _canaries_of(judges, seat, len(shown))
    cells = len(shown) * judges.samples + canaries
    asked = int(sum(material) * judges.samples + average * canaries) + cells * (fixed + own)
    answered = cells * min(seat.output_tokens, _TOKENS_BEFORE_AXES + TOKENS_AN_AXIS * len(seat.expert.axes))
    prefix = fixed + average
    again = cells if _is_cached(judges, seat) else cells - cells // judges.samples
    in_cache = int(again * prefix) if seat.mode is RunMode.FAST and prefix >= _LEAST_CACHED else 0
    return Usage(input=asked, cached_input=min(in_cache, asked), output=answered, total=asked + answered)


def _is_cached(judges: Judges, seat: Seat) -> bool:
    """Tell whether another expert before this one sends the same bytes to the same model."""
    before = judges.seats[: judges.seats.index(seat)]
    return seat.mode is RunMode.FAST and any(
        (one.endpoint, one.model, one.mode) == (seat.endpoint, seat.model, seat.mode) for one in before
    )


def _canaries_of(judges: Judges, seat: Seat, sessions: int) -> int:
    main = judges.main_axis
    if main is None or main.name not in seat.expert.axes:
        return 0
    return min(CANARY_ITEMS, sessions) * len(Payload)


def _canaries(judges: Judges) -> int:
    return sum(_canaries_of(judges, seat, CANARY_ITEMS) for seat in judges.seats)


def _cost(spec: SessionSpec, seat: Seat, *, usage: Usage) -> StageCost:
    label = f"{seat.endpoint}/{seat.model}"
    tariff = models.tariff(spec.endpoint_of(seat), seat.model, mode=seat.mode)
    price = tariff.price(usage, at=datetime.now(UTC))
    return StageCost(model=label).plus(usage, price, model=label)
