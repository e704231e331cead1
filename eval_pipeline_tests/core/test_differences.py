"""What differs between two specifications is named value by value, and of long texts sentence by sentence."""

import doctest

from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.core import differences as module
from eval_pipeline.core.differences import find_differences, text_difference

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab. \n", max_size=80),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xyz"), inner, max_size=3),
    max_leaves=8,
)
specifications = st.dictionaries(st.sampled_from("pqr"), json_values, max_size=3)


def test_examples_of_the_documentation_hold() -> None:
    assert doctest.testmod(module).failed == 0


def test_values_are_named_by_their_path_and_missing_ones_are_none() -> None:
    first = {"provider": "openai", "repeats": 1, "model_body": {"model": "a", "temperature": 0}, "scorers": {}}
    second = {"provider": "openai", "repeats": 3, "model_body": {"model": "b"}, "scorers": {"n": {"version": 2}}}

    assert [(one.name, one.first, one.second) for one in find_differences(first, second)] == [
        ("repeats", 1, 3),
        ("model_body.model", "a", "b"),
        ("model_body.temperature", 0, None),
        ("scorers", {}, None),
        ("scorers.n.version", None, 2),
    ]


def test_long_instructions_are_laid_side_by_side() -> None:
    rules = [f"Rule {number}: be kind." for number in range(40)]
    first, second = "\n".join(rules), "\n".join([*rules[:20], "Never guess.", *rules[21:]])

    (found,) = find_differences({"instructions": first}, {"instructions": second})

    assert found.lines == ("  Rule 19: be kind.", "- Rule 20: be kind.", "+ Never guess.", "  Rule 21: be kind.")
    (added,) = find_differences({}, {"instructions": second})
    assert (added.first, added.lines[0], len(added.lines)) == (None, "+ Rule 0: be kind.", 40)


def test_texts_of_any_length_come_to_an_end() -> None:
    assert text_difference("a.\n" * 900, "b.\n" * 900)[-1] == "… and 1,600 more lines"
    assert "too long to be laid side by side" in text_difference("a b. " * 100_000, "c")[0]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(specifications, specifications)
def test_only_equal_specifications_have_no_difference(first: dict[str, object], second: dict[str, object]) -> None:
    assert find_differences(first, first) == []
    assert bool(find_differences(first, second)) == (first != second)
