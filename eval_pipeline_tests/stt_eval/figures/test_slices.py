from typing import Any

import pytest

from eval_pipeline.stt_eval.figures.slices import MOST_COLUMNS, MOST_VALUE_CHARACTERS, MOST_VALUES, Slices
from eval_pipeline_tests.stt_eval.figures.spoken import sample_row


def groups(samples: list[dict[str, Any]]) -> dict[tuple[str, str], list[bool]]:
    collected = Slices()
    for sample in samples:
        collected.add(sample, language=sample["language"])
    return {(column, value): inside.tolist() for column, value, inside in collected.groups()}


def test_samples_are_grouped_by_language_duration_and_what_the_manifest_says() -> None:
    found = groups(
        [
            sample_row(0, "a", language="hi", duration_s=1, metadata={"speaker": "S1"}),
            sample_row(1, "b", language=None, duration_s=None, metadata={"speaker": " S2 "}),
            sample_row(2, "c", language="hi", duration_s=2, metadata={"speaker": "S1"}),
        ]
    )

    assert found == {
        ("language", "(unknown)"): [False, True, False],
        ("language", "hi"): [True, False, True],
        ("duration", "(unknown)"): [False, True, False],
        ("duration", "2 to 5 s"): [False, False, True],
        ("duration", "under 2 s"): [True, False, False],
        ("speaker", "S1"): [True, False, True],
        ("speaker", "S2"): [False, True, False],
    }


def test_a_column_that_comes_late_ends_early_or_has_gaps_groups_what_has_it() -> None:
    values: list[dict[str, str]] = [{}, {"noise": "fan"}, {"noise": "  "}, {"noise": "road"}, {}]

    found = groups([sample_row(number, "a", metadata=metadata) for number, metadata in enumerate(values)])

    assert found["noise", "fan"] == [False, True, False, False, False]
    assert found["noise", "road"] == [False, False, False, True, False]


def test_one_value_is_no_group() -> None:
    assert groups([sample_row(number, "a", metadata={"set": "test"}) for number in range(3)]) == {}


@pytest.mark.parametrize(("values", "expected"), [(MOST_VALUES, MOST_VALUES), (MOST_VALUES + 1, 0)])
def test_a_column_with_many_values_is_an_id_and_no_group(values: int, expected: int) -> None:
    found = groups([sample_row(number, "a", metadata={"id": f"{number % values}"}) for number in range(2 * values)])

    assert sum(column == "id" for column, _ in found) == expected


def test_long_texts_are_cut_before_they_are_compared() -> None:
    text = "क" * MOST_VALUE_CHARACTERS

    found = groups([sample_row(number, "a", metadata={"note": text + end}) for number, end in enumerate("xyz")])

    assert found == {}


def test_many_columns_do_not_crowd_out_language_and_duration() -> None:
    metadata = {f"column {number:02d}": "a" for number in range(2 * MOST_COLUMNS)}
    other = dict.fromkeys(metadata, "b")

    found = groups(
        [
            sample_row(0, "a", language="hi", duration_s=1, metadata=metadata),
            sample_row(1, "a", language="mr", duration_s=3, metadata=other),
        ]
    )

    columns = list(dict.fromkeys(column for column, _ in found))
    assert columns[:2] == ["duration", "language"]
    assert len(columns) == 2 + MOST_COLUMNS


def test_a_column_that_is_called_as_ours_does_not_hide_ours() -> None:
    found = groups(
        [
            sample_row(number, "a", language=language, metadata={"language": "Hindi"})
            for number, language in enumerate(["hi", "mr"])
        ]
    )

    assert [value for column, value in found if column == "language"] == ["hi", "mr"]


def test_lengths_stand_by_length_and_not_by_the_alphabet() -> None:
    slices = Slices()
    for duration_s in (40.0, 12.0, 3.0, 0.5, None):
        slices.add({"metadata": "{}", "duration_s": duration_s}, language="hi")

    assert [value for column, value, _ in slices.groups() if column == "duration"] == [
        "under 2 s",
        "2 to 5 s",
        "10 to 30 s",
        "30 s and more",
        "(unknown)",
    ]
