"""Dynamic partitions: one set a flow, one partition a run."""

import dagster as dg

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.flow import plans

PARTITION_SETS = {plan.flow: f"{plan.command}_runs" for plan in plans()}
RUNS = {flow: dg.DynamicPartitionsDefinition(name=name) for flow, name in PARTITION_SETS.items()}


def forget_partition(flow: Flow, key: RunKey) -> None:
    """Remove a deleted run's partition from the Dagster UI; what was recorded under it stays."""
    from eval_pipeline.defs.instance import open_instance  # noqa: PLC0415 - storage: not when the code location loads

    with open_instance() as instance:
        instance.delete_dynamic_partition(PARTITION_SETS[flow], key.partition)


def register_partition(instance: dg.DagsterInstance, *, flow: Flow, key: RunKey) -> None:
    """Add a run's partition unless it is there: ``dagster job launch`` names one that nobody added.

    Dagster looks for it only when the first stage is stored, when the run's name has been claimed.
    """
    name = PARTITION_SETS[flow]
    if not instance.has_dynamic_partition(name, key.partition):
        instance.add_dynamic_partitions(name, [key.partition])
