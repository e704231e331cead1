from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline.core.datasets import DatasetKind
from eval_pipeline.core.errors import ConflictError, EvalPipelineError, UsageError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunMode, RunState
from eval_pipeline.runs.claims import Prepared, claim, find_dataset_of
from eval_pipeline.runs.life import flow_of
from eval_pipeline.stt_eval.prepare import prepare
from eval_pipeline.stt_eval.request import SttRequest
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.storage.records import a_dataset, a_run
from eval_pipeline_tests.stt_eval.audio_bench import AudioBench


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    """A home with one dataset of each kind."""
    opened = Deployment(environ={"EVAL_PIPELINE_HOME": str(home_with_ledger(tmp_path / "home"))})
    opened.ledger.add_dataset(a_dataset())
    bench = AudioBench(tmp_path / "clips", ledger=opened.ledger, objects=opened.objects)
    bench.clip("a.wav")
    bench.add()
    yield opened
    opened.close()


def prepared(deployment: Deployment, run: str = "first", **changes: object) -> Prepared[SttSpec]:
    request = SttRequest.from_mapping({"dataset": "clips", "models": ["gemini-2.5-flash"], **changes})
    return prepare(request, project="default", run=run, deployment=deployment, needs_key=False)


def test_a_dataset_is_found_by_name_and_by_the_first_characters_of_its_version(deployment: Deployment) -> None:
    newest = find_dataset_of(DatasetKind.STT, deployment=deployment, project="default", reference="clips")

    named = f"clips@{newest.version[:8]}"
    assert find_dataset_of(DatasetKind.STT, deployment=deployment, project="default", reference=named) == newest


@pytest.mark.parametrize(
    ("kind", "reference", "code"),
    [
        (DatasetKind.STT, "golden", "config_type_unsupported"),
        (DatasetKind.TEXT, "clips", "config_type_unsupported"),
        (DatasetKind.STT, "clips@00000000", "dataset_not_found"),
        (DatasetKind.STT, "", "dataset_not_found"),
    ],
)
def test_a_dataset_of_another_kind_or_version_is_refused(
    deployment: Deployment, kind: DatasetKind, reference: str, code: str
) -> None:
    with pytest.raises(EvalPipelineError) as caught:
        find_dataset_of(kind, deployment=deployment, project="default", reference=reference)

    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize("here", [True, False])
def test_a_claim_freezes_what_was_prepared(deployment: Deployment, here: bool) -> None:
    made = prepared(deployment, mode="fast")

    run = claim(made, flow=Flow.STT, requested_by="someone", deployment=deployment, here=here)

    assert (run.key, run.flow, run.state, run.mode) == (made.key, Flow.STT, RunState.REQUESTED, RunMode.FAST)
    assert (run.spec, run.spec_hash) == (made.spec.to_json(), made.spec.hash)
    assert (run.dataset_name, run.dataset_version) == ("clips", made.dataset.version)
    assert run.worker == (deployment.worker if here else None)


def test_a_name_is_taken_once_whatever_it_stands_for(deployment: Deployment) -> None:
    claim(prepared(deployment), flow=Flow.STT, requested_by="a", deployment=deployment, here=False)

    with pytest.raises(ConflictError) as caught:
        claim(prepared(deployment, language="mr"), flow=Flow.STT, requested_by="b", deployment=deployment, here=False)

    assert caught.value.code == "run_name_already_exists"


def test_the_flow_of_a_name_is_found_unless_two_share_it(deployment: Deployment) -> None:
    key, other = RunKey.of(project="default", run="first"), RunKey.of(project="default", run="second")
    deployment.ledger.claim_run(a_run())
    claim(prepared(deployment, "second"), flow=Flow.STT, requested_by="a", deployment=deployment, here=False)

    assert flow_of(deployment, key) is Flow.TEXT
    assert flow_of(deployment, other) is Flow.STT

    claim(prepared(deployment), flow=Flow.STT, requested_by="a", deployment=deployment, here=False)
    with pytest.raises(UsageError, match="text_eval, stt_eval") as ambiguous:
        flow_of(deployment, key)
    assert ambiguous.value.code == "run_name_ambiguous"
    assert [flow_of(deployment, key, named=str(flow)) for flow in (Flow.TEXT, Flow.STT)] == [Flow.TEXT, Flow.STT]


@pytest.mark.parametrize("named", [None, "text_eval"])
def test_a_name_that_no_flow_has_is_not_found(deployment: Deployment, named: str | None) -> None:
    claim(prepared(deployment), flow=Flow.STT, requested_by="a", deployment=deployment, here=False)
    run = "nobody" if named is None else "first"

    with pytest.raises(EvalPipelineError) as caught:
        flow_of(deployment, RunKey.of(project="default", run=run), named=named)

    assert caught.value.code == "run_not_found"
