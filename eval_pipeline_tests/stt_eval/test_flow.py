"""The speech job as Dagster drives it: from the form, from requests, from sensors; beside a text run of its name."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.protocols import GEMINI
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.defs.batch_sensors import look_after_batches
from eval_pipeline.defs.build import build_definitions
from eval_pipeline.defs.instance import open_instance
from eval_pipeline.defs.run_sensors import start_requested_runs
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.laboratory import QUIET, Made
from eval_pipeline_tests.listening import FLASH, RUN, WHISPER, Studio, recordings, studio

CLIPS = recordings(4)
BASE_URLS = ("GOOGLE_GEMINI_BASE_URL", "OPENAI_BASE_URL")
STAGES = ["spec", "dataset", "transcription_batch", "transcripts", "scores", "report"]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Studio]:
    with studio(tmp_path, CLIPS) as opened:
        yield opened


@pytest.fixture
def instance(made: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    monkeypatch.setenv("EVAL_PIPELINE_HOME", str(made.commands.home))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with open_instance() as opened:
        yield opened


@pytest.fixture
def deployment(made: Studio) -> Iterator[Deployment]:
    environ = {"EVAL_PIPELINE_HOME": str(made.commands.home), **made.variables}
    with closing(Deployment(environ=environ)) as opened:
        yield opened


def materialize(
    deployment: Deployment, instance: dg.DagsterInstance, *, config: Mapping[str, Any] | None = None
) -> Made:
    """Do what Materialize does in the Dagster UI."""
    definitions = build_definitions(open_it=lambda: deployment)
    instance.add_dynamic_partitions("stt_runs", [RUN])
    ops = {} if config is None else {"stt_eval__spec": {"config": dict(config)}}
    return Made(
        definitions.resolve_job_def("stt_eval").execute_in_process(
            instance=instance, partition_key=RUN, run_config={**QUIET, "ops": ops}, raise_on_error=False
        )
    )


def test_the_form_makes_every_stage_and_a_second_time_costs_nothing(
    made: Studio, deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    form = {"dataset": "clips", "mode": "fast", "models": [FLASH, WHISPER]}
    first = materialize(deployment, instance, config=form)
    again = materialize(deployment, instance)

    assert (first.failures, first.stages) == ({}, STAGES)
    assert (again.failures, again.stages) == ({}, STAGES)
    assert first.check("transcripts").passed
    assert set(made.gemini.counts()["generate"]["billed"].values()) == {1}
    assert set(made.openai.counts()["transcriptions"]["billed"].values()) == {1}
    key = RunKey.of(project="default", run=RUN)
    transcripts, report = (
        deployment.stages.open(StageRef(Flow.STT, key, stage)) for stage in ("transcripts", "report")
    )
    told = PaidSummary.of(transcripts.manifest)
    assert told.calls.endpoints == {made.variables[name]: len(CLIPS) for name in BASE_URLS}
    assert told.by_model is not None
    assert {model: one.counts.ok for model, one in told.by_model.items()} == {FLASH: len(CLIPS), WHISPER: len(CLIPS)}
    assert b"Another endpoint answered" not in report.file("report.html")


def test_a_form_that_cannot_be_is_refused_before_anything_is_claimed(
    made: Studio, deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    refused = materialize(deployment, instance, config={"dataset": "clips", "models": [WHISPER]})

    assert refused.failure["code"] == "config_type_unsupported"
    assert "--mode fast" in refused.failure["hint"]
    assert made("run", "status", RUN, "--json").error_code == "run_not_found"


def test_requests_of_one_name_in_two_flows_become_two_runs(
    made: Studio, deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    request_both(made)

    result = start_requested_runs(deployment, instance)

    assert isinstance(result, dg.SensorResult)
    requests = list(result.run_requests or [])
    assert {(request.job_name, request.partition_key) for request in requests} == {
        ("stt_eval", RUN),
        ("text_eval", RUN),
    }
    assert len({request.run_key for request in requests}) == 2
    partitions = {one.partitions_def_name: list(one.partition_keys) for one in result.dynamic_partitions_requests or []}
    assert partitions == {"stt_runs": [RUN], "text_runs": [RUN]}


def test_batches_of_one_name_in_two_flows_wake_each_its_own(
    made: Studio, deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    """Both are Gemini's: one sensor looks after both."""
    request_both(made)
    made.gemini.set(batch_polls=1)
    assert made.make_stages() is None
    assert made.make_stages(flow=Flow.TEXT) is None
    made.gemini.set(batch_polls=0)

    context = dg.build_sensor_context(instance=instance)
    answer = look_after_batches(context, deployment, family=GEMINI)

    assert isinstance(answer, dg.SensorResult)
    requests = {request.job_name: request for request in answer.run_requests or []}
    assert {name: str(request.run_key).split("/")[:3] for name, request in requests.items()} == {
        "stt_eval": ["stt_eval", RUN, "transcripts"],
        "text_eval": ["text_eval", RUN, "responses"],
    }
    for flow, request in requests.items():
        stages = [key.path[-1] for key in request.asset_selection or []]
        assert made.make_stages(*stages, flow=Flow(str(flow))) is None
    for flow in (Flow.TEXT, Flow.STT):
        assert made.commands.json("run", "status", RUN, "--flow", str(flow))["state"] == "completed"
    assert set(made.gemini.executed().values()) == {1}


def request_both(made: Studio) -> None:
    """Request a speech run and a text run of the same name."""
    made.commands.add("golden", "question,answer\nwhat is 1?,1\nwhat is 2?,2\n")
    text = ("text", "run", RUN, "--dataset", "golden", "--provider", "gemini", "--scorer", "exact_match", "--no-wait")
    assert made.run("--no-wait").code == 0
    assert made(*text, "--json").code == 0
