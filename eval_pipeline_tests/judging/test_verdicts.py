"""What a judge answers: checked whole, never filled in, and its quotes looked up."""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.core.errors import UsageError
from eval_pipeline.judging.aggregation import CellState
from eval_pipeline.judging.material import Part, Speaker
from eval_pipeline.judging.output_schema import output_schema
from eval_pipeline.judging.panel import model_family
from eval_pipeline.judging.panel_file import built_in_panel, read_panel
from eval_pipeline.judging.verdicts import InvalidAnswerError, read_answer

RUBRIC = built_in_panel("sessions").rubric
AXES = [RUBRIC.axes["goal_completion"], RUBRIC.axes["subagent_orchestration"]]
PARTS = [
    Part(5, Speaker.ASSISTANT, "Your  booking\nis “confirmed”: ﬁve nights."),
    Part(6, Speaker.USER, "धन्यवाद क्\u200dषमा"),
    Part(7, Speaker.CALL, '{"night": 2}', head="book "),
]


def verdict(level: str, *quotes: tuple[str, str]) -> dict[str, Any]:
    evidence = [{"message": label, "quote": text} for label, text in quotes]
    return {"evidence": evidence, "reasoning": "Because.", "level": level, "confidence": "high"}


def answer(**axes: Mapping[str, Any]) -> dict[str, Any]:
    return {"user_goal": "a room", "outcome_summary": "", "axes": axes, "manipulation_attempt": False, "comment": ""}


def good(*quotes: tuple[str, str], level: str = "75") -> dict[str, Any]:
    return answer(goal_completion=verdict(level, *quotes), subagent_orchestration=verdict("not_applicable"))


@pytest.mark.parametrize(
    ("quote", "verified"),
    [
        (("M5", "booking is “confirmed”: five nights"), True),
        (("M7", 'book {"night": 2}'), True),
        (("M6", "क्\u200dषमा"), True),
        (("M6", "क्षमा"), False),
        (("M5", "Your booking was confirmed"), False),
        (("M6", "Your booking is"), False),
        (("M9", "Your booking is"), False),
        (("5", "Your booking is"), False),
        (("M5", " \u200b "), False),
    ],
)
def test_a_quote_counts_where_it_stands_in_its_message(quote: tuple[str, str], verified: bool) -> None:
    for text in (json.dumps(good(quote)), f"```json\n{json.dumps(good(quote), indent=1)}\n```\n"):
        found = read_answer(text, axes=AXES, parts=PARTS)
        assert found.verdicts["goal_completion"].evidence[0].verified is verified
        assert found.lacks_evidence(AXES) == (() if verified else ("goal_completion",))


def test_levels_become_opinions_and_low_ones_need_no_quote() -> None:
    low = read_answer(json.dumps(good(level="50")), axes=AXES, parts=PARTS)
    unable = read_answer(json.dumps(good(level="cannot_judge")), axes=AXES, parts=PARTS)

    assert low.lacks_evidence(AXES) == unable.lacks_evidence(AXES) == ()
    opinion = low.verdicts["goal_completion"].opinion(weight=2)
    assert (opinion.state, opinion.level, opinion.weight) == (CellState.SCORED, 50.0, 2)
    assert low.verdicts["subagent_orchestration"].opinion().state is CellState.NOT_APPLICABLE
    assert unable.verdicts["goal_completion"].opinion().state is CellState.ABSTAINED


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (good() | {"manipulation_attempt": "no"}, 'manipulation_attempt is "no", not true or false'),
        (answer(goal_completion=verdict("75")), "axes.subagent_orchestration is missing"),
        (answer(**good()["axes"], efficiency=verdict("75")), "axes.efficiency was not asked for"),
        (good(level="80"), 'axes.goal_completion.level is "80"; it must be one of 0, 25, 50, 75, 100, cannot_judge'),
        (good(level="not_applicable"), "it must be one of 0, 25, 50, 75, 100, cannot_judge"),
        (answer(**good()["axes"] | {"goal_completion": verdict("75") | {"level": 75}}), "level is 75 (a number)"),
        (answer(**good()["axes"] | {"goal_completion": verdict("75") | {"evidence": "M5"}}), 'evidence is "M5"'),
        (good(*[("M5", "Your")] * 5), "has 5 quotes, of 4 at most"),
        ([], "the answer is a list, not an object"),
        ({"axes": []}, "axes is a list, not an object"),
    ],
)
def test_whatever_is_wrong_is_told_and_nothing_is_filled_in(document: object, problem: str) -> None:
    with pytest.raises(InvalidAnswerError) as raised:
        read_answer(json.dumps(document), axes=AXES, parts=PARTS)
    assert problem in str(raised.value)


def test_answers_that_are_no_json_are_told_so() -> None:
    for text in ("", "I rate it 75.", '{"axes": ', "[" * 100_000, json.dumps(good()) + "\nGood luck!"):
        with pytest.raises(InvalidAnswerError, match="not one JSON object"):
            read_answer(text, axes=AXES, parts=PARTS)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*good(), *good()["axes"], *verdict("0"), "message", "quote"]), inner, max_size=6
            )
        ),
        max_leaves=20,
    )
)
def test_no_answer_breaks_the_reader(document: object) -> None:
    with contextlib.suppress(InvalidAnswerError):
        found = read_answer(json.dumps(document), axes=AXES, parts=PARTS)
        assert set(found.verdicts) == {axis.name for axis in AXES}


def test_the_schema_of_the_session_panel_is_the_published_one() -> None:
    schema = output_schema(RUBRIC.axes.values())

    assert schema["required"] == ["user_goal", "outcome_summary", "axes", "manipulation_attempt", "comment"]
    axes = schema["properties"]["axes"]
    assert axes["required"] == list(RUBRIC.axes)
    assert axes["properties"]["efficiency"]["required"] == ["evidence", "reasoning", "level", "confidence"]
    levels = axes["properties"]["efficiency"]["properties"]["level"]["enum"]
    assert levels == ["0", "25", "50", "75", "100", "cannot_judge"]
    optional = axes["properties"]["self_extension"]["properties"]["level"]["enum"]
    assert optional == [*levels, "not_applicable"]


PANEL = """
version: 2
rubric:
  version: 3
  axes:
    kindness: {levels: {"0": rude, "1": kind}, required: true}
    brevity: {levels: {"10": long, "2": short}, required: false}
experts:
  - {id: one, model: ollama/gemma3, axes: [kindness], params: {temperature: 0}, weight: 0.5}
  - {id: two, model: gpt-4o, axes: all}
"""


def test_a_panel_is_read_as_it_is_written() -> None:
    panel = read_panel(PANEL.encode(), source="panel.yaml")

    assert (panel.version, panel.rubric.version) == ("2", "3")
    assert [(expert.id, expert.axes, expert.weight) for expert in panel.experts] == [
        ("one", ("kindness",), 0.5),
        ("two", ("kindness", "brevity"), 1.0),
    ]
    assert list(panel.rubric.axes["brevity"].levels) == ["2", "10"]
    assert panel.owners("brevity") == (panel.experts[1],)
    renamed = read_panel(PANEL.replace("version: 2", "version: 9").encode(), source="panel.yaml")
    assert renamed.fingerprint == panel.fingerprint
    assert read_panel(PANEL.replace("rude", "unkind").encode(), source="p").fingerprint != panel.fingerprint
    full = PANEL.replace("version: 2", "version: 2\npanel: full").replace("axes: [kindness], ", "")
    assert all(len(expert.axes) == 2 for expert in read_panel(full.encode(), source="p").experts)
    assert model_family("openrouter/meta-llama/llama-3.1-8b") == "llama"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("axes: [kindness]", "axes: [patience]", "experts[0].axes[0] is 'patience'"),
        ("id: two", "id: one", "experts name 'one' twice"),
        ("axes: all", "axes: [brevity]", None),
        ("axes: [kindness]", "axes: [brevity]", None),
        ("weight: 0.5", "weight: -1", "experts[0].weight is -1"),
        ("weight: 0.5", "weight: .nan", "experts[0].weight is nan"),
        ("weight: 0.5", "wieght: 0.5", "experts[0] has the unknown key 'wieght'"),
        ("temperature: 0", "model: x", "experts[0].params.model is set by the judge's request itself"),
        ("temperature: 0", "until: 2024-01-01", "experts[0].params.until is the date '2024-01-01'"),
        ('"0": rude, ', "", "rubric.axes.kindness.levels has 1 levels"),
        ('"0": rude', "low: rude", "rubric.axes.kindness.levels.low is no number"),
        ('"0": rude', '"1.0": rude', "rubric.axes.kindness.levels names one level twice"),
        ("kindness: {levels", "Kindness: {levels", "rubric.axes.Kindness is no name of an axis"),
        ("model: gpt-4o", "model: ''", "experts[1].model is '', not a text"),
        ("version: 2", "", "it has no version"),
        ("version: 2", "version: [2]", "version is a list, not a label"),
        ("required: true", "required: 1", "rubric.axes.kindness.required is"),
        ("rubric:", "rubric: [", "cannot be read: line"),
    ],
)
def test_what_is_wrong_with_a_panel_is_said_with_its_place(old: str, new: str, words: str | None) -> None:
    changed = PANEL.replace(old, new)
    if words is None:
        read_panel(changed.encode(), source="panel.yaml")
        return
    with pytest.raises(UsageError) as raised:
        read_panel(changed.encode(), source="panel.yaml")
    assert raised.value.code == "invalid_panel"
    assert words in raised.value.message
    assert raised.value.hint


def test_a_required_axis_needs_an_expert_that_weighs_something() -> None:
    for change, words in (
        (("axes: all", "axes: [brevity]"), "rate kindness nowhere"),
        (("axes: all", "axes: [brevity], weight: 1"), "rate kindness nowhere"),
    ):
        text = PANEL.replace("axes: [kindness]", "axes: [brevity]").replace(*change)
        with pytest.raises(UsageError, match=words):
            read_panel(text.encode(), source="panel.yaml")
    idle = PANEL.replace("weight: 0.5", "weight: 0").replace("axes: all", "axes: [brevity]")
    with pytest.raises(UsageError, match="all have weight 0"):
        read_panel(idle.encode(), source="panel.yaml")
