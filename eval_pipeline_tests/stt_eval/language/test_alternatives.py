from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.core.errors import UsageError
from eval_pipeline.stt_eval.language.alternatives import MAX_DEPTH, Alternatives, Reference, parse_reference


def text(*segments: str | Alternatives) -> Reference:
    return Reference(segments)


def either(*options: Reference | str) -> Alternatives:
    return Alternatives(tuple(Reference((option,)) if isinstance(option, str) else option for option in options))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", text()),
        ("   ", text()),
        ("नमस्ते doctor", text("नमस्ते doctor")),
        ("{ doctor / डॉक्टर }", text(either("doctor", "डॉक्टर"))),
        ("{250/दो सौ पचास} रुपये", text(either("250", "दो सौ पचास"), "रुपये")),
        ("i've { um / uh / @ } been", text("i've", either("um", "uh", text()), "been")),
        ("{ a / b } { c / d }, e", text(either("a", "b"), either("c", "d"), ", e")),
        ("{ a / { b / c } d }", text(either("a", text(either("b", "c"), "d")))),
        ("km/h and/or 1 / 2", text("km/h and/or 1 / 2")),
        ("a @ b", text("a  b")),
        ("@", text()),
        ("me@home @you", text("me@home @you")),
        ("{ @ / @ }", text(either(text(), text()))),
    ],
)
def test_the_notation_is_read_as_nist_documents_it(written: str, read: Reference) -> None:
    assert parse_reference(written) == read


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("a { b / c", "the reference opens a brace and does not close it: character 3, near 'a { b / c'"),
        ("a { b / { c / d }", "the reference opens a brace and does not close it: character 3, near"),
        ("a } b", "the reference closes a brace that was not opened: character 3, near 'a } b'"),
        ("{ a / b } }", "the reference closes a brace that was not opened: character 11, near"),
        ("a { b / } c", "the reference has an empty alternative before this place: character 9, near 'a { b / } c'"),
        ("a { / b }", "the reference has an empty alternative before this place: character 5, near"),
        ("a {} b", "the reference has an empty alternative before this place: character 4, near"),
        ("a { b } c", "the reference has braces with a single alternative: character 3, near 'a { b } c'"),
        ("re{ad / d}", "the reference has a brace that touches a word: character 2, near"),
        ("{ cat / dog }s", "the reference has a brace that touches a word: character 14, near"),
        ("x" * 100 + " } " + "y" * 100, f"character 102, near '{'x' * 24} }} {'y' * 23}'"),
    ],
)
def test_broken_notation_is_refused_with_its_place_and_text(written: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_reference(written)

    assert message in refused.value.message
    assert refused.value.code == "malformed_alternatives"
    assert "{ doctor / डॉक्टर }" in refused.value.hint


def test_nesting_has_a_limit_and_not_a_crash() -> None:
    deepest = "{ a / " * MAX_DEPTH + "b" + " }" * MAX_DEPTH

    assert parse_reference(deepest).has_alternatives
    with pytest.raises(UsageError, match="nests alternatives more than 10 deep: character 61,"):
        parse_reference("{ a / " * 10_000)


@given(st.text(st.characters(exclude_characters="{}@")))
def test_a_text_without_the_notation_is_left_as_it_is(written: str) -> None:
    assert parse_reference(written) == Reference((written.strip(),) if written.strip() else ())
    assert not parse_reference(written).has_alternatives


@given(st.text("{}/@ a", max_size=30))
def test_every_text_is_read_or_refused_with_an_explanation(written: str) -> None:
    with suppress(UsageError):
        assert parse_reference(written).has_alternatives == ("{" in written)
