from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef


def test_a_stage_has_a_place_that_its_flow_project_and_run_name() -> None:
    ref = StageRef(flow=Flow.STT, key=RunKey(project="health", run="hindi-1"), stage="scores")

    assert ref.prefix == "stt_eval/health/hindi-1/scores"
    assert str(ref) == f"stt_eval/scores of run {ref.key.partition}"
