"""What tells that batches are collected at all: an asset for each family, materialized while its sensor lives."""

from datetime import timedelta

import dagster as dg

from eval_pipeline.wiring.protocols import FAMILIES

BEAT_EVERY_S = 300.0


def _collector(family: str) -> dg.AssetSpec:
    sensor = f"{family}_batches"
    return dg.AssetSpec(
        ["collectors", sensor],
        group_name="collectors",
        owners=["team:evaluation"],
        kinds={family},
        description=f"Materialized every five minutes by the sensor {sensor}; stale when nobody collects batches.",
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(seconds=4 * BEAT_EVERY_S)),
    )


COLLECTORS = {family: _collector(family) for family in FAMILIES}
