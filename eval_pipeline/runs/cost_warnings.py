"""What a person should know of a run's cost: why it is unknown, or what may have been charged beside it."""

from collections.abc import Iterator, Mapping

from eval_pipeline.core.documents import Json

Summary = Json


def cost_warnings(paid: Mapping[str, Summary | None]) -> list[dict[str, str]]:
    """Return code, message and hint of everything that the paid stages' summaries say of their cost."""
    return [warning for stage, summary in paid.items() if summary is not None for warning in _of_stage(stage, summary)]


def _of_stage(stage: str, summary: Summary) -> Iterator[dict[str, str]]:
    cost = summary.get("cost")
    uncounted = int(summary.get("items_without_usage") or summary.get("calls_without_usage") or 0)
    unreported = int(summary.get("unreported_calls") or 0)
    if uncounted:
        yield _warning(
            f"{stage}: {uncounted:,} came back without a count of tokens, so their cost is unknown",
            code="usage_unknown",
            hint="the provider's own bill tells",
        )
    elif summary.get("unpriced_services"):
        named = ", ".join(sorted(summary["unpriced_services"]))
        yield _warning(
            f"{stage}: no price is published for {named}, so the cost is unknown",
            code="fee_unknown",
            hint="the provider's own price list tells; the tokens are counted",
        )
    elif cost is not None and cost["cost_usd"] is None:
        yield _warning(
            f"{stage}: model {cost['model']} has no published price, so its cost is unknown",
            code="price_unknown",
            hint="the provider's own price list tells; the tokens are counted",
        )
    if unreported:
        yield _warning(
            f"{stage}: {unreported:,} calls ended without a readable answer and may have been charged; "
            "their cost is not in the sum",
            code="calls_unreported",
            hint="the provider's own bill tells",
        )


def _warning(message: str, *, code: str, hint: str) -> dict[str, str]:
    return {"code": code, "message": message, "hint": hint}
