"""What a run would cost, before anything is paid: tokens estimated from the questions, published prices."""

from collections.abc import Iterable
from datetime import UTC, datetime

from eval_pipeline.core.cost import ESTIMATED_OUTPUT_TOKENS, Costs, StageCost, as_number, estimate_usage
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.endpoints import FrozenEndpoint
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.recorded import RECORDED
from eval_pipeline.core.runs import RunMode
from eval_pipeline.runs.claims import Prepared
from eval_pipeline.text_eval.golden_check import golden_warnings
from eval_pipeline.text_eval.golden_store import golden_rows
from eval_pipeline.text_eval.rates import embedding_mode
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment


def warnings_of(prepared: Prepared[TextSpec], *, deployment: Deployment) -> list[dict[str, str]]:
    """Return what is told before a run: of its recorded answers, and golden answers that its scorers cannot read."""
    return [*prepared.notes, *golden_warnings(prepared, deployment=deployment)]


def estimate_run(prepared: Prepared[TextSpec], *, deployment: Deployment) -> JsonDict:
    """Return tokens and dollars per stage, and what they assume."""
    spec = prepared.spec
    output_tokens, output_words = _output_tokens(spec.model_body)
    rows = golden_rows(deployment.objects, prepared.dataset)
    once = Usage()
    golden = Usage()
    for row in rows:
        once += estimate_usage(
            ["\n".join((*(turn.text for turn in row.turns), row.question))],
            repeated_text=str(spec.model_body.get("instructions") or ""),
            output_tokens=output_tokens,
        )
        golden += estimate_usage(row.golden_answers, output_tokens=0)
    answers = _times(once, spec.repeats)
    if spec.recorded is None:
        stages = {"response": _cost(spec.answers_at, spec.model, usage=answers, mode=spec.mode)}
    else:
        stages = {"response": StageCost(model=spec.model, rate=RECORDED)}
        output_words = "answers were recorded: nobody is asked for them"
    if spec.needs_embeddings:
        texts = Usage(input=answers.output + golden.input, total=answers.output + golden.input)
        stages["embedding"] = _cost(spec.embeds_at, spec.embedding_model, usage=texts, mode=embedding_mode(spec))
    costs = Costs.of(stages)
    return {
        "items": spec.total_items_count,
        "stages": {stage: cost.to_json() for stage, cost in stages.items()},
        "total_cost_usd": as_number(costs.cost_usd),
        "assumptions": [
            output_words,
            "a token is four bytes of ASCII or two bytes of anything else; tools and files the model reads are not in",
            *_unpriced(stages.values()),
            "published prices, standard rate" if spec.mode == "fast" else "published prices, batch rate",
        ],
        "warnings": warnings_of(prepared, deployment=deployment),
    }


def _unpriced(stages: Iterable[StageCost]) -> list[str]:
    """Name the models that nobody publishes a price for."""
    return [
        f"model {cost.model} has no published price: its cost is unknown, not zero"
        for cost in stages
        if cost.cost_usd is None
    ]


def _output_tokens(body: Json) -> tuple[int, str]:
    limit = body.get("max_output_tokens")
    if isinstance(limit, int) and limit > 0:
        return limit, f"every answer uses its {limit:,} max_output_tokens: an upper bound"
    return (
        ESTIMATED_OUTPUT_TOKENS,
        f"every answer has {ESTIMATED_OUTPUT_TOKENS:,} tokens, for max_output_tokens is not set",
    )


def _times(usage: Usage, times: int) -> Usage:
    return Usage(input=usage.input * times, output=usage.output * times, total=usage.total * times)


def _cost(endpoint: FrozenEndpoint, model: str, *, usage: Usage, mode: RunMode) -> StageCost:
    price = models.tariff(endpoint, model, mode=mode).price(usage, at=datetime.now(UTC))
    return StageCost(model=model).plus(usage, price, model=model)
