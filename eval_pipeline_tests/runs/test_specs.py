"""How a run begins or is found again, whatever its flow."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.errors import ConflictError, EvalPipelineError, NotFoundError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.claims import Prepared
from eval_pipeline.runs.specs import claim_or_find
from eval_pipeline.runs.task import Task
from eval_pipeline.stt_eval import prepare as stt_runs
from eval_pipeline.stt_eval.request import SttRequest
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.laboratory import Silence
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.stt_eval.audio_bench import AudioBench

CLIPS = {"dataset": "clips", "models": ["gemini-2.5-flash"]}
KEY = RunKey.of(project="default", run="first")


@pytest.fixture
def task(tmp_path: Path) -> Iterator[Task]:
    deployment = Deployment(environ={"EVAL_PIPELINE_HOME": str(home_with_ledger(tmp_path / "home"))})
    bench = AudioBench(tmp_path / "clips", ledger=deployment.ledger, objects=deployment.objects)
    bench.clip("a.wav")
    bench.add()
    yield Task(
        deployment=deployment,
        flow=Flow.STT,
        key=KEY,
        dagster_run_id="d1",
        retried_run_id=None,
        progress=Silence(),
        say=lambda _: None,
    )
    deployment.close()


def begin(task: Task, given: Mapping[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """Return the hash of the run's specification, and the estimate."""

    def prepare(values: Mapping[str, Any]) -> Prepared[SttSpec]:
        request = SttRequest.from_mapping(values)
        return stt_runs.prepare(request, project=KEY.project, run=KEY.run, deployment=task.deployment, needs_key=False)

    run, told = claim_or_find(
        replace(task, given=given), prepare=prepare, estimate=lambda prepared: {"run": prepared.key.run}
    )
    return run.spec_hash, told


def refusal(task: Task, given: Mapping[str, Any]) -> EvalPipelineError:
    with pytest.raises(EvalPipelineError) as caught:
        begin(task, given)
    return caught.value


def test_a_form_claims_the_name_and_tells_what_it_may_cost(task: Task) -> None:
    spec_hash, told = begin(task, CLIPS)

    run = task.deployment.ledger.find_run(flow=Flow.STT, key=KEY)
    assert run is not None
    assert (run.spec_hash, run.requested_by, run.worker) == (spec_hash, "dagster", task.deployment.worker)
    assert told == {"run": "first"}


def test_the_same_form_and_no_form_find_the_run_again(task: Task) -> None:
    spec_hash, _ = begin(task, CLIPS)

    assert begin(task, CLIPS) == (spec_hash, None)
    assert begin(task, {}) == (spec_hash, None)


def test_another_form_is_another_run(task: Task) -> None:
    begin(task, CLIPS)

    error = refusal(task, {**CLIPS, "prompt": "Write it down."})

    assert isinstance(error, ConflictError)
    assert error.code == "run_name_already_exists"


def test_a_run_that_was_never_specified_cannot_begin(task: Task) -> None:
    assert refusal(task, {}).code == "run_not_specified"


def test_nothing_is_claimed_by_a_form_that_is_refused(task: Task) -> None:
    assert isinstance(refusal(task, {**CLIPS, "dataset": "nowhere"}), NotFoundError)
    assert task.deployment.ledger.find_run(flow=Flow.STT, key=KEY) is None
