"""What tells that batches are being collected at all: an asset that its sensor materializes as long as it lives."""

from datetime import timedelta

import dagster as dg

BEAT_EVERY_S = 300.0
COLLECTOR = dg.AssetSpec(
    ["collectors", "openai_batches"],
    group_name="collectors",
    owners=["team:evaluation"],
    kinds={"openai"},
    description="Materialized every five minutes by the sensor openai_batches; stale when nobody collects batches.",
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(seconds=4 * BEAT_EVERY_S)),
)
