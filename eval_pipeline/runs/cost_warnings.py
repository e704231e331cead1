"""What a person should know of a run's cost: why it is unknown, or what may have been charged beside it."""

from collections.abc import Iterator, Mapping

from eval_pipeline.core.counting import counted
from eval_pipeline.core.paid_summary import PaidSummary


def cost_warnings(
    paid: Mapping[str, PaidSummary | None], *, models: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """Return code, message and hint of everything that the paid stages' summaries say of their cost.

    Args:
        paid: the summaries by stage.
        models: of experts, whose costs stand by their names, the models that they ask.
    """
    return [
        warning
        for stage, summary in paid.items()
        if summary is not None
        for warning in _of_stage(stage, summary, models=models or {})
    ]


def _of_stage(stage: str, summary: PaidSummary, *, models: Mapping[str, str]) -> Iterator[dict[str, str]]:
    calls = summary.calls
    names = () if summary.cost is None else map(str, summary.cost.unpriced_models)
    unpriced = tuple(dict.fromkeys(models.get(name, name) for name in names))
    if calls.uncounted:
        yield _warning(
            f"{stage}: {calls.uncounted:,} came back without a count of tokens, so their cost is unknown",
            code="usage_unknown",
            hint="the provider's own bill tells",
        )
    elif calls.unpriced_services:
        named = ", ".join(sorted(calls.unpriced_services))
        yield _warning(
            f"{stage}: no price is published for {named}, so the cost is unknown",
            code="fee_unknown",
            hint="the provider's own price list tells; the tokens are counted",
        )
    elif unpriced:
        told = "model {} has no published price, so its cost is unknown"
        if len(unpriced) > 1:
            told = "models {} have no published price, so their cost is unknown"
        yield _warning(
            f"{stage}: {told.format(', '.join(unpriced))}",
            code="price_unknown",
            hint="the tokens are counted; a price that stands in the endpoints file, as prices: {ENDPOINT/MODEL: "
            "{input: …, output: …}}, holds for later runs",
        )
    if calls.unreported:
        yield _warning(
            f"{stage}: {counted(calls.unreported, 'call')} ended without a readable answer and may have been charged; "
            "what that cost is not in the sum",
            code="calls_unreported",
            hint="the provider's own bill tells",
        )


def _warning(message: str, *, code: str, hint: str) -> dict[str, str]:
    return {"code": code, "message": message, "hint": hint}
