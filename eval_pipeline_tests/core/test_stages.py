import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import PAID_STAGES, STAGES, StageRef
from eval_pipeline.definitions import defs


def graph(flow: Flow) -> dict[str, set[str]]:
    """Return every stage's direct upstream stages, as Dagster has them."""
    nodes = defs.resolve_asset_graph().asset_nodes
    return {
        node.key.path[-1]: {parent.path[-1] for parent in node.parent_keys}
        for node in nodes
        if node.key.path[0] == flow
    }


@pytest.mark.parametrize("flow", Flow)
def test_stages_are_those_of_the_graph_and_stand_behind_what_they_read(flow: Flow) -> None:
    upstream, stages = graph(flow), STAGES[flow]

    assert set(upstream) == set(stages)
    for position, stage in enumerate(stages):
        assert upstream[stage] <= set(stages[:position]), stage


@pytest.mark.parametrize("flow", Flow)
def test_what_is_paid_for_is_submitted_by_the_stage_before(flow: Flow) -> None:
    for stage in PAID_STAGES[flow]:
        before = STAGES[flow][STAGES[flow].index(stage) - 1]
        assert before.endswith("_batch")
        assert before in graph(flow)[stage]
    assert len(PAID_STAGES[flow]) == sum(stage.endswith("_batch") for stage in STAGES[flow])


def test_a_stage_has_a_place_that_its_flow_project_and_run_name() -> None:
    ref = StageRef(flow=Flow.STT, key=RunKey(project="health", run="hindi-1"), stage="scores")

    assert ref.prefix == "stt_eval/health/hindi-1/scores"
    assert str(ref) == f"stt_eval/scores of run {ref.key.partition}"
