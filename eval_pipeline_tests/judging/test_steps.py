"""What is asked next of a cell: whatever comes back, in whatever order, it ends, and the same way."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.judging.steps import (
    Ask,
    CellStatus,
    Heard,
    Kind,
    Reading,
    Said,
    Settled,
    Step,
    next_of,
)
from eval_pipeline.judging.verdicts import Answer, InvalidAnswerError, Verdict

quick = settings(max_examples=400, deadline=None, derandomize=True)
GOOD, UNPROVEN, BROKEN = "good", "unproven", "broken"


def read(text: str) -> Answer:
    """Read the answers of these tests."""
    if text not in {GOOD, UNPROVEN}:
        raise InvalidAnswerError(["the answer is not one JSON object"])
    verdict = Verdict(level="100", reasoning=text, confidence="high", evidence=())
    return Answer({"goal_completion": verdict}, "a goal", "an outcome", manipulation_attempt=False, comment="")


def lacking(answer: Answer) -> Sequence[str]:
    """Say which axes lack evidence."""
    return ["goal_completion"] if answer.verdicts["goal_completion"].reasoning == UNPROVEN else []


replies = st.one_of(
    st.sampled_from([Said(Heard.ANSWER, text) for text in (GOOD, UNPROVEN, BROKEN, "")]),
    st.just(Said(Heard.ANSWER, BROKEN, cut=True)),
    st.just(Said(Heard.REFUSAL)),
    st.just(Said(Heard.FAILURE)),
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[int, dict[Step, Said]]:
    """Draw what would be said to every request that a cell can have."""
    segments = draw(st.integers(0, 4))
    kinds = [
        *(Step(Kind.NOTES, place) for place in range(segments)),
        *map(Step, (Kind.VERDICT, Kind.REPAIR, Kind.EVIDENCE)),
    ]
    steps = [*kinds, *(replace(step, again=True) for step in kinds)]
    return segments, {step: draw(replies) for step in steps}


def played(segments: int, world: dict[Step, Said], *, one_by_one: bool) -> tuple[Settled, list[Step]]:
    """Let a cell be asked until it is settled, all that is wanted at once or one request after the other."""
    said: dict[Step, Said] = {}
    asked: list[Step] = []
    reading = Reading(segments, read=read, lacking=lacking)
    while isinstance(found := next_of(said.get, reading), Ask):
        assert found.steps
        for step in found.steps[: 1 if one_by_one else None]:
            assert step not in said, "nothing is asked twice"
            said[step] = world[step]
            asked.append(step)
            if step.kind in {Kind.REPAIR, Kind.EVIDENCE}:
                assert found.problems, "who is to mend something is told what"
    return found, asked


@quick
@given(worlds())
def test_a_cell_ends_after_few_requests_the_same_way_in_whatever_portions_it_is_asked(
    world: tuple[int, dict[Step, Said]],
) -> None:
    segments, replies_of = world
    settled, asked = played(segments, replies_of, one_by_one=False)
    again, asked_singly = played(segments, replies_of, one_by_one=True)

    assert (settled.status, settled.step) == (again.status, again.step)
    assert set(asked) == set(asked_singly)
    assert len(asked) <= 2 * segments + 2 + 1 + 1
    assert len({step.suffix for step in asked}) == len(asked), "requests have ids of their own"
    if settled.status is CellStatus.OK:
        assert settled.answer is not None
        assert not lacking(settled.answer)
        assert replies_of[settled.step].text == GOOD
    else:
        assert settled.status is not CellStatus.MISSING
    assert (settled.status is CellStatus.REFUSED) <= (replies_of[settled.step].heard is Heard.REFUSAL)
    assert (settled.status is CellStatus.FAILED) == (replies_of[settled.step].heard is Heard.FAILURE)


def ended(*said: str | Heard) -> tuple[CellStatus, list[str]]:
    """Return what a cell without segments comes to when its requests are answered so, in order."""
    answers = [
        Said(Heard.ANSWER, one) if isinstance(one, str) and one not in set(Heard) else Said(Heard(one)) for one in said
    ]
    heard: dict[Step, Said] = {}
    reading = Reading(0, read=read, lacking=lacking)
    for answer in answers:
        found = next_of(heard.get, reading)
        assert isinstance(found, Ask)
        heard[found.steps[0]] = answer
    found = next_of(heard.get, reading)
    assert isinstance(found, Settled)
    return found.status, [step.suffix for step in heard]


def test_one_repair_one_retry_for_evidence_and_one_after_a_refusal() -> None:
    assert ended(GOOD) == (CellStatus.OK, ["v"])
    assert ended(BROKEN, GOOD) == (CellStatus.OK, ["v", "r"])
    assert ended(BROKEN, BROKEN) == (CellStatus.PARSE_FAILED, ["v", "r"])
    assert ended(UNPROVEN, GOOD) == (CellStatus.OK, ["v", "e"])
    assert ended(UNPROVEN, UNPROVEN) == (CellStatus.INVALID_EVIDENCE, ["v", "e"])
    assert ended(UNPROVEN, BROKEN) == (CellStatus.INVALID_EVIDENCE, ["v", "e"])
    assert ended(BROKEN, UNPROVEN, GOOD) == (CellStatus.OK, ["v", "r", "e"])
    assert ended(Heard.REFUSAL, GOOD) == (CellStatus.OK, ["v", "vx"])
    assert ended(Heard.REFUSAL, Heard.REFUSAL) == (CellStatus.REFUSED, ["v", "vx"])
    assert ended(Heard.REFUSAL, BROKEN, GOOD) == (CellStatus.OK, ["v", "vx", "r"])
    assert ended(BROKEN, Heard.REFUSAL) == (CellStatus.REFUSED, ["v", "r"])
    assert ended(Heard.FAILURE) == (CellStatus.FAILED, ["v"])
