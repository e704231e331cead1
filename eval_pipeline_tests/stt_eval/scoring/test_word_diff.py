import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.stt_eval.language.words import Word
from eval_pipeline.stt_eval.scoring import word_diff as module
from eval_pipeline.stt_eval.scoring.edits import Edit
from eval_pipeline.stt_eval.scoring.word_diff import DiffToken, word_diff
from eval_pipeline_tests.stt_eval.scoring.references import lattice_of

HIT, DELETED, INSERTED, REPLACED = Edit.HIT, Edit.DELETION, Edit.INSERTION, Edit.SUBSTITUTION
WORDS = st.lists(st.builds(Word, token=st.sampled_from(["", "a", "b"]), surface=st.sampled_from(["", "A", "b,", "—"])))


def written(*words: str) -> list[Word]:
    """Return words as a normaliser would: in small letters, marks gone."""
    return [Word(token=word.lower().strip(",.—"), surface=word) for word in words]


def shown(diff: tuple[DiffToken, ...]) -> list[tuple[Edit, str, str]]:
    return [(token.edit, token.reference_surface, token.hypothesis_surface) for token in diff]


def surfaces(words: list[Word]) -> str:
    return " ".join(word.surface for word in words if word.surface)


def test_the_examples_in_the_documentation_hold() -> None:
    result = doctest.testmod(module)

    assert result.attempted
    assert not result.failed


def test_words_are_compared_as_scored_and_shown_as_written() -> None:
    diff = word_diff(written("Yes,", "the", "Doctor", "came."), written("yes", "Docter", "came", "home"))

    assert shown(diff) == [
        (HIT, "Yes,", "yes"),
        (DELETED, "the", ""),
        (REPLACED, "Doctor", "Docter"),
        (HIT, "came.", "came"),
        (INSERTED, "", "home"),
    ]
    assert (diff[0].reference, diff[0].hypothesis, diff[1].hypothesis) == ("yes", "yes", None)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "expected"),
    [
        (["—", "Yes", "—", "no", "…"], ["yes", "no"], [(HIT, "— Yes —", "yes"), (HIT, "no …", "no")]),
        (["yes"], ["—", "—"], [(DELETED, "yes", "— —")]),
        (["—"], ["yes", "no"], [(INSERTED, "—", "yes"), (INSERTED, "", "no")]),
        (["—"], ["—", "—"], [(HIT, "—", "— —")]),
        (["—"], [], [(HIT, "—", "")]),
        ([], [], []),
    ],
)
def test_surfaces_without_a_token_join_a_neighbour(
    reference: list[str], hypothesis: list[str], expected: list[tuple[Edit, str, str]]
) -> None:
    marks = {"…": ""}
    words = [
        [Word(marks.get(word.surface, word.token), word.surface) for word in written(*side)]
        for side in (reference, hypothesis)
    ]

    assert shown(word_diff(*words)) == expected


def test_a_written_word_of_two_tokens_shows_its_surface_once() -> None:
    diff = word_diff([Word("don", "don't"), Word("t", "")], written("don"))

    assert shown(diff) == [(HIT, "don't", "don"), (DELETED, "", "")]
    assert diff[1].reference == "t"


def test_the_closest_alternative_is_shown() -> None:
    diff = word_diff(lattice_of("{ doctor / डॉक्टर } { uh / @ } आया"), written("डॉक्टर", "आया"))

    assert shown(diff) == [(HIT, "डॉक्टर", "डॉक्टर"), (HIT, "आया", "आया")]


@given(WORDS, WORDS)
def test_no_surface_is_lost_or_moved(reference: list[Word], hypothesis: list[Word]) -> None:
    diff = word_diff(reference, hypothesis)

    assert " ".join(token.reference_surface for token in diff if token.reference_surface) == surfaces(reference)
    assert " ".join(token.hypothesis_surface for token in diff if token.hypothesis_surface) == surfaces(hypothesis)
    assert [token.reference for token in diff if token.reference] == [word.token for word in reference if word.token]
