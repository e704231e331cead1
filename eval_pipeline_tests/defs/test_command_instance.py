"""Runs of the command line in the Dagster UI, and runs that Dagster's own command line launches."""

from pathlib import Path

from dagster._core.workspace.load_target import WorkspaceFileTarget, get_origins_from_toml

from eval_pipeline.core.runs import RunState
from eval_pipeline.defs.build import build_definitions
from eval_pipeline.defs.command_instance import CODE_LOCATION
from eval_pipeline_tests.laboratory import FAST, QUIET, Laboratory, Made, Silence

ROOT = Path(__file__).parents[2]


def test_a_run_of_the_command_line_can_be_executed_again_from_the_ui(lab: Laboratory) -> None:
    """The UI looks for the job by this name, and breaks with a stack trace where there is none."""
    made = lab.materialize("origin", config={**FAST, "scorers": ["exact_match"]})

    run = lab.instance.get_run_by_id(made.result.run_id)
    assert run is not None
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.job_name == "text_eval"
    assert run.remote_job_origin.location_name == CODE_LOCATION
    loaded = [*WorkspaceFileTarget([str(ROOT / "workspace.yaml")]).create_origins()]
    loaded += get_origins_from_toml(str(ROOT / "pyproject.toml"))
    assert {origin.location_name for origin in loaded} == {CODE_LOCATION}


def test_a_run_of_a_partition_that_nobody_added_adds_it(lab: Laboratory) -> None:
    """``dagster job launch`` names a partition; Dagster missed it only when the run's name had been claimed."""
    definitions = build_definitions(open_it=lambda: lab.deployment, progress=Silence())

    made = Made(
        definitions.resolve_job_def("text_eval").execute_in_process(
            instance=lab.instance,
            tags={"dagster/partition": "launched"},
            run_config={
                **QUIET,
                "ops": {"text_eval__spec": {"config": {**FAST, "scorers": ["exact_match"]}}},
            },
            raise_on_error=False,
        )
    )

    assert made.success
    assert lab.state("launched") is RunState.COMPLETED
    assert "launched" in lab.instance.get_dynamic_partitions("text_runs")
