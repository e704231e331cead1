"""What tells that batches are collected at all: an asset for each provider, materialized while its sensor lives."""

from datetime import timedelta

import dagster as dg

from eval_pipeline.core.providers import Provider

BEAT_EVERY_S = 300.0


def _collector(provider: Provider) -> dg.AssetSpec:
    sensor = f"{provider}_batches"
    return dg.AssetSpec(
        ["collectors", sensor],
        group_name="collectors",
        owners=["team:evaluation"],
        kinds={str(provider)},
        description=f"Materialized every five minutes by the sensor {sensor}; stale when nobody collects batches.",
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(seconds=4 * BEAT_EVERY_S)),
    )


COLLECTORS = {provider: _collector(provider) for provider in Provider}
