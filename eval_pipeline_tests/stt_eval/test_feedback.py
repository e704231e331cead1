from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline.core.errors import ConflictError, EvalPipelineError, NotFoundError, UsageError
from eval_pipeline.core.feedback import Change, ErrorTag, Mark
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.deleting import delete
from eval_pipeline.stt_eval.feedback import VerdictChange, agreement, judged_results, set_verdicts, verdicts_of
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.storage.records import KEY, a_run
from eval_pipeline_tests.stt_eval.judged_run import FLASH, HEARD, WHISPER, open_judged, score, transcribe

CORRECT, WRONG, CLEARED = Change(is_correct=True), Change(is_correct=False), Change(is_correct=None)
FIRST = f"clip-1#{FLASH}"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    opened = open_judged(tmp_path / "home")
    yield opened
    opened.close()


def judge(deployment: Deployment, change: Change, sample: str = "clip-1", model: str = FLASH, by: str = "मीरा") -> None:
    set_verdicts(deployment, KEY, [VerdictChange(sample, model, change)], reviewer=by)


def refused(deployment: Deployment, *changes: VerdictChange, reviewer: str = "मीरा") -> EvalPipelineError:
    """Return why nothing of this can be recorded."""
    before = verdicts_of(deployment, KEY)
    with pytest.raises(EvalPipelineError) as caught:
        set_verdicts(deployment, KEY, changes, reviewer=reviewer)
    assert verdicts_of(deployment, KEY) == before
    return caught.value


def test_a_verdict_stands_with_who_gave_it_and_when(deployment: Deployment) -> None:
    [judged] = set_verdicts(
        deployment,
        KEY,
        [VerdictChange("clip-1", WHISPER, Change(is_correct=False, comment="cut", tags=(ErrorTag.MISSING,)))],
        reviewer="मीरा",
    )

    assert judged.result.item_id == f"clip-1#{WHISPER}"
    assert (judged.verdict.mark, judged.verdict.comment, judged.verdict.tags) == (
        Mark.WRONG,
        "cut",
        (ErrorTag.MISSING,),
    )
    [entry] = judged.verdict.history
    assert (entry.reviewer, entry.judged_at.tzinfo is not None) == ("मीरा", True)
    assert verdicts_of(deployment, KEY) == {judged.result.item_id: judged.verdict}


def test_what_was_said_before_stays_in_the_history(deployment: Deployment) -> None:
    for change, by in ((WRONG, "asha"), (Change(comment="no, listen"), "ravi"), (CLEARED, "asha")):
        judge(deployment, change, by=by)

    verdict = verdicts_of(deployment, KEY)[FIRST]

    assert (verdict.mark, verdict.comment) == (Mark.CLEARED, "no, listen")
    assert [(entry.reviewer, entry.change) for entry in verdict.history] == [
        ("asha", WRONG),
        ("ravi", Change(comment="no, listen")),
        ("asha", CLEARED),
    ]


def test_a_transcript_of_silence_can_be_judged(deployment: Deployment) -> None:
    judge(deployment, CORRECT, sample="clip-2")

    assert verdicts_of(deployment, KEY)[f"clip-2#{FLASH}"].counts


def test_a_result_that_failed_cannot_be_judged_and_takes_the_others_with_it(deployment: Deployment) -> None:
    error = refused(
        deployment, VerdictChange("clip-1", FLASH, CORRECT), VerdictChange("clip-2", WHISPER, Change(comment="x"))
    )

    assert (type(error), error.code) == (ConflictError, "result_not_finished")
    assert "'clip-2'" in error.message
    assert "refused" in error.message


@pytest.mark.parametrize("change", [Change(), CLEARED, Change(comment=None), Change(tags=())])
def test_saying_nothing_of_what_nobody_judged_is_refused(deployment: Deployment, change: Change) -> None:
    assert refused(deployment, VerdictChange("clip-1", FLASH, change)).code == "verdict_unchanged"
    assert verdicts_of(deployment, KEY) == {}


def test_saying_again_what_stands_is_refused_and_only_news_are_recorded(deployment: Deployment) -> None:
    judge(deployment, CORRECT)
    assert refused(deployment, VerdictChange("clip-1", FLASH, CORRECT)).code == "verdict_unchanged"

    judge(deployment, Change(is_correct=True, comment="clear speech"))

    assert verdicts_of(deployment, KEY)[FIRST].history[-1].change == Change(comment="clear speech")


def test_a_result_named_twice_is_refused(deployment: Deployment) -> None:
    twice = [VerdictChange("clip-1", FLASH, change) for change in (CORRECT, WRONG)]

    assert refused(deployment, *twice).code == "invalid_verdict"


@pytest.mark.parametrize(
    ("sample", "model", "guess"),
    [
        ("clip1", FLASH, "'clip-1'"),
        ("interview", FLASH, "its samples are 'clip-1', 'clip-2'"),
        ("clip-1", "gemini-2.5-flsh", f"'{FLASH}'"),
        ("clip-1", "x", f"its models are '{FLASH}', '{WHISPER}'"),
    ],
)
def test_an_unknown_sample_or_model_is_named_with_those_that_are_close(
    deployment: Deployment, sample: str, model: str, guess: str
) -> None:
    error = refused(deployment, VerdictChange(sample, model, CORRECT))

    assert (type(error), error.code) == (NotFoundError, "result_not_found")
    assert guess in error.hint


def test_a_reviewer_without_a_name_is_refused(deployment: Deployment) -> None:
    assert refused(deployment, VerdictChange("clip-1", FLASH, CORRECT), reviewer=" ").code == "invalid_verdict"


def test_an_unknown_run_and_one_without_transcripts_are_told(deployment: Deployment) -> None:
    deployment.ledger.claim_run(a_run("new", flow=Flow.STT))
    change = VerdictChange("clip-1", FLASH, CORRECT)

    for run, code in (("nobody", "run_not_found"), ("new", "stage_missing")):
        with pytest.raises(NotFoundError) as caught:
            set_verdicts(deployment, RunKey(project="default", run=run), [change], reviewer="मीरा")
        assert caught.value.code == code


def test_a_verdict_is_about_the_transcript_that_it_was_given_on(deployment: Deployment) -> None:
    judge(deployment, Change(is_correct=False, comment="name wrong"))
    judge(deployment, WRONG, model=WHISPER)
    transcribe(deployment, {**HEARD, ("clip-1", FLASH): "another text", ("clip-1", WHISPER): None})
    score(deployment)

    first, second = (judged.verdict for judged in judged_results(deployment, KEY))

    assert (first.mark, first.stale, second.stale) == (Mark.WRONG, True, True)
    assert agreement(deployment, KEY).stale == 2
    assert agreement(deployment, KEY).overall.wrong == 0

    judge(deployment, WRONG)
    again = verdicts_of(deployment, KEY)[FIRST]
    assert (again.counts, again.comment, len(again.history)) == (True, None, 2)


def test_the_same_transcript_made_again_keeps_its_verdict(deployment: Deployment) -> None:
    judge(deployment, WRONG)
    transcribe(deployment)

    assert verdicts_of(deployment, KEY)[FIRST].counts


def test_verdicts_that_count_are_compared_with_the_standard_wer_by_model_and_over_all(deployment: Deployment) -> None:
    judge(deployment, CORRECT)
    judge(deployment, WRONG, model=WHISPER)
    judge(deployment, CORRECT, sample="clip-2")

    found = agreement(deployment, KEY)

    assert (found.overall.right, found.overall.wrong, found.overall.auc) == (1, 1, 1.0)
    assert {model: (one.right, one.wrong) for model, one in found.models.items()} == {FLASH: (1, 0), WHISPER: (0, 1)}
    assert found.overall.best is not None
    assert (found.overall.best.at_most, found.overall.best.kappa) == (0.0, 1.0)
    assert (found.without_rate, found.stale, found.cleared) == (1, 0, 0)


def test_cleared_verdicts_and_mere_comments_do_not_count(deployment: Deployment) -> None:
    for change in (WRONG, CLEARED):
        judge(deployment, change)
    judge(deployment, Change(comment="noisy"), model=WHISPER)

    found = agreement(deployment, KEY)

    assert (found.overall.right, found.overall.wrong, found.cleared, dict(found.models)) == (0, 0, 1, {})


def test_scores_of_earlier_transcripts_are_not_compared(deployment: Deployment) -> None:
    transcribe(deployment)
    assert agreement(deployment, KEY).cleared == 0, "transcripts that were stored again as they were change nothing"
    transcribe(deployment, {**HEARD, ("clip-2", FLASH): "जी"})

    with pytest.raises(ConflictError, match="other transcripts") as caught:
        agreement(deployment, KEY)

    assert caught.value.code == "stages_do_not_match"


def test_verdicts_go_with_the_run(deployment: Deployment) -> None:
    judge(deployment, CORRECT)

    delete(deployment, flow=Flow.STT, key=KEY)

    assert deployment.ledger.run_feedback(flow=Flow.STT, key=KEY) == []


def test_a_comment_that_cannot_be_kept_never_reaches_the_ledger(deployment: Deployment) -> None:
    with pytest.raises(UsageError):
        set_verdicts(deployment, KEY, [VerdictChange("clip-1", FLASH, CORRECT)], reviewer="a\x1b[2Jb")

    assert deployment.ledger.run_feedback(flow=Flow.STT, key=KEY) == []
