"""What a person should know of a run's cost: why it is unknown, or what may have been charged beside it."""

from collections.abc import Iterator, Mapping

from eval_pipeline.core.counting import counted
from eval_pipeline.core.paid_summary import PaidSummary


def cost_warnings(paid: Mapping[str, PaidSummary | None]) -> list[dict[str, str]]:
    """Return code, message and hint of everything that the paid stages' summaries say of their cost."""
    return [warning for stage, summary in paid.items() if summary is not None for warning in _of_stage(stage, summary)]


def _of_stage(stage: str, summary: PaidSummary) -> Iterator[dict[str, str]]:
    calls = summary.calls
    unpriced = () if summary.cost is None else summary.cost.unpriced_models
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
        yield _warning(
            f"{stage}: model {', '.join(map(str, unpriced))} has no published price, so its cost is unknown",
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
