"""Between assets travel light handles on finished stages, never the rows themselves."""

import dagster as dg

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.defs.failures import explained
from eval_pipeline.wiring.deployment import Deployment

OPTIONAL = "optional"
"""Metadata key of an input that a stage can do without."""


class StageIOManager(dg.IOManager):
    """Opens a stage by its manifest; storing is done by the stage's own writer, under its lease."""

    def handle_output(self, context: dg.OutputContext, obj: StageReader) -> None:
        """Nothing to store: the stage lies in the object store already."""

    def load_input(self, context: dg.InputContext) -> StageReader | None:
        """Open the upstream stage of the same run.

        One that was never finished raises ``stage_missing``; where the input is ``OPTIONAL`` it is None.
        """
        deployment: Deployment = context.resources.deployment
        with explained():
            ref = stage_ref(context.asset_key, partition=context.partition_key)
            optional = OPTIONAL in (context.definition_metadata or {})
            return deployment.stages.find(ref) if optional else deployment.stages.open(ref)


def stage_ref(asset_key: dg.AssetKey, *, partition: str) -> StageRef:
    """Name the stage of an asset: key ``flow/stage``, partition the run."""
    flow, stage = asset_key.path
    return StageRef(flow=Flow(flow), key=RunKey.from_partition(partition), stage=stage)


@dg.io_manager(required_resource_keys={"deployment"}, description="Handles on stage files.")
def stage_io_manager() -> StageIOManager:
    """Build the IO manager."""
    return StageIOManager()
