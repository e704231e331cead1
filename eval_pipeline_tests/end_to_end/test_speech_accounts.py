"""Speech runs whose accounts go wrong: keys that are rotated, refused or another's, models that are not there."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest

from eval_pipeline.core.protocols import GEMINI
from eval_pipeline.core.runs import Flow
from eval_pipeline.defs.batch_sensors import FRESHNESS_CHECK, look_after_batches
from eval_pipeline.defs.instance import open_instance
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.listening import FLASH, KEY, RUN, WHISPER, Studio, heard, listeners, recordings, studio

pytestmark = pytest.mark.slow

CLIPS = recordings(4)
CHECK = dg.AssetCheckKey(dg.AssetKey(["stt_eval", "transcription_batch"]), FRESHNESS_CHECK)
BREACHED = 100


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Studio]:
    with studio(tmp_path, CLIPS, frozenset({FLASH})) as opened:
        yield opened


@pytest.fixture
def instance(made: Studio, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Open the home's own Dagster instance."""
    monkeypatch.setenv("EVAL_PIPELINE_HOME", str(made.commands.home))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    with open_instance() as opened:
        yield opened


def tick(made: Studio, instance: dg.DagsterInstance, **variables: str) -> tuple[list[dg.RunRequest], str]:
    """Let the sensor of Gemini's batches tick; returns what it asks for and what it says."""
    environ = {"EVAL_PIPELINE_HOME": str(made.commands.home), **made.variables, **variables}
    with closing(Deployment(environ=environ)) as deployment:
        context = dg.build_sensor_context(instance=instance)
        answer = look_after_batches(context, deployment, family=GEMINI)
    if isinstance(answer, dg.SkipReason):
        return [], str(answer.skip_message)
    words = answer.skip_reason
    return list(answer.run_requests or []), str(words.skip_message) if isinstance(words, dg.SkipReason) else ""


def judged(instance: dg.DagsterInstance) -> tuple[bool, str]:
    """Return the newest evaluation of the run's freshness check."""
    records = instance.event_log_storage.get_asset_check_execution_history(CHECK, limit=10)
    found = [record.event.asset_check_evaluation for record in records if record.event]
    newest = next(one for one in found if one is not None and one.partition == KEY.partition)
    return newest.passed, newest.description or ""


def test_the_sensor_takes_a_run_from_its_batches_to_its_report(made: Studio, instance: dg.DagsterInstance) -> None:
    assert tick(made, instance) == ([], "no batch is open")
    made.gemini.set(batch_polls=1)
    made.submit()

    for _ in range(5):
        requests, _ = tick(made, instance)
        if requests:
            break
    [request] = requests
    stages = [key.path[-1] for key in request.asset_selection or []]

    assert (request.job_name, request.partition_key) == ("stt_eval", KEY.partition)
    assert stages == list(plan_of(Flow.STT).stages_from("transcripts"))
    assert str(request.run_key).startswith("stt_eval/clips-1/transcripts/")
    assert made.make_stages(*stages) is None
    assert (made.state(), made.shown()["counts"]["ok"]) == ("completed", 4)
    assert judged(instance)[0]
    assert tick(made, instance) == ([], "no batch is open")


def test_a_run_goes_on_when_the_key_of_its_account_was_rotated(made: Studio) -> None:
    made.gemini.set(batch_polls=1)
    made.submit()
    rotated = Commands(made.commands.folder, **{**made.variables, "GEMINI_API_KEY": "AIza-rotated"})

    ended = rotated("run", "retry", RUN, "--json")

    assert (ended.code, ended.document["counts"]["ok"]) == (0, 4)
    assert (len(made.gemini.batches()), set(made.gemini.executed().values())) == (1, {1})
    assert made.gemini.clips() == []


def test_a_key_of_another_account_leaves_a_run_waiting_for_its_own(made: Studio, instance: dg.DagsterInstance) -> None:
    made.gemini.set(batch_polls=1)
    made.submit()
    with listeners(heard(CLIPS)) as (elsewhere, _):
        theirs = {"GOOGLE_GEMINI_BASE_URL": elsewhere.url, "GEMINI_API_KEY": "AIza-elsewhere"}
        requests, words = tick(made, instance, **theirs)

        assert requests == []
        assert f"to another address ({made.gemini.url})" in words
        passed, told = judged(instance)
        assert not passed
        assert "give GEMINI_API_KEY and GOOGLE_GEMINI_BASE_URL of that account back" in told
        assert elsewhere.batches() == []
    assert made.state() == "waiting"

    assert made("run", "retry", RUN, "--json").document["counts"]["ok"] == 4
    assert set(made.gemini.executed().values()) == {1}


@pytest.mark.parametrize("mode", ["batch", "fast"])
def test_a_model_that_is_not_there_does_not_keep_the_others_from_answering(made: Studio, mode: str) -> None:
    ended = made.run("--mode", mode, models=(FLASH, "gemini-99-none"))

    by_model = ended.document["by_model"]
    assert (ended.code, by_model[FLASH]["ok"], by_model["gemini-99-none"]["failed"]) == (0, 4, 4)
    errors = {one["error"]["message"] for one in made.shown()["results"] if one["error"]}
    assert len(errors) == 1
    assert "models/gemini-99-none is not found for API version v1" in errors.pop()


def test_a_model_whose_key_is_refused_is_asked_again_when_a_person_says_so(made: Studio) -> None:
    """Live beside batches: the clips that the other model has heard are not sent again."""
    made.openai.spoil({"kind": "unauthorized", "endpoint": "transcriptions"})
    first = made.run(models=(FLASH, WHISPER))
    made.openai.spoil()

    again = made("run", "retry", RUN, "--json")

    assert (first.code, first.document["by_model"][FLASH]["ok"], first.document["by_model"][WHISPER]["ok"]) == (0, 4, 0)
    told = {warning["code"]: warning["message"] for warning in first.document["warnings"]}
    assert "check OPENAI_API_KEY and what the key may do" in told["model_not_asked"]
    assert (again.code, again.document["by_model"][WHISPER]["ok"]) == (0, 4)
    assert "model_not_asked" not in {warning["code"] for warning in again.document["warnings"]}
    assert set(made.gemini.executed().values()) == {1}
    assert set(made.openai.counts()["transcriptions"]["billed"].values()) == {1}


def test_a_run_none_of_whose_models_can_be_asked_says_why(made: Studio) -> None:
    made.openai.spoil({"kind": "unauthorized", "endpoint": "transcriptions"})
    made.gemini.spoil({"kind": "unauthorized", "endpoint": "generate"})

    ended = made.run("--mode", "fast", models=(FLASH, WHISPER))

    assert ended.code not in {0, BREACHED}
    assert ended.document["state"] != "completed"
    assert "API key not valid" in ended.document["error"]["message"]
    made.openai.spoil()
    made.gemini.spoil()
    assert made("run", "retry", RUN, "--json").document["counts"]["ok"] == 8


@pytest.mark.parametrize("mode", ["batch", "fast"])
def test_a_run_with_too_many_failures_fails_with_its_scores_and_its_report(
    made: Studio, instance: dg.DagsterInstance, mode: str
) -> None:
    made.gemini.spoil({"kind": "blocked", "endpoint": "generate", "match": CLIPS[0].sha256})

    ended = made.run("--mode", mode, "--failure-threshold", "0.2")

    assert (ended.code, ended.error_code, ended.document["state"]) == (BREACHED, "failure_threshold_breached", "failed")
    assert ended.document["threshold"]["observed"] == 0.25
    assert (ended.document["figures"][0]["answered"], ended.document["counts"]["ok"]) == (3, 3)
    stages = {stage["stage"]: stage["state"] for stage in made.commands.json("run", "status", RUN)["stages"]}
    assert (stages["scores"], stages["report"]) == ("done", "done")
    check = dg.AssetCheckKey(dg.AssetKey(["stt_eval", "transcripts"]), "failure_threshold")
    [record] = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
    evaluation = record.event.asset_check_evaluation if record.event else None
    assert evaluation is not None
    assert not evaluation.passed
