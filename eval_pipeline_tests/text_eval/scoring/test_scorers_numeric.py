"""The number that an answer ends with, in the ways people and models write it."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.text_eval.scoring.score_values import UnscoreableReason
from eval_pipeline.text_eval.scoring.scorers_numeric import last_number, numeric

GSM8K = Path(__file__).parents[3] / "examples" / "gsm8k"
quick = settings(max_examples=300, deadline=None, derandomize=True)


def read_lines(name: str) -> list[dict[str, Any]]:
    lines = (GSM8K / name).read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def read(text: str, *, decimal_comma: bool = False) -> Fraction | None:
    found = last_number(text, decimal_comma=decimal_comma)
    return None if found is None else found.value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("18", "18"),
        ("A: 18", "18"),
        ("#### 18", "18"),
        ("The answer is $1,234.50.", "1234.5"),
        ("It is 18%", "18"),
        ("18 km/h", "18"),
        ("18km", "18"),
        ("₹1,23,456", "123456"),
        ("Rs.500", "500"),
        ("INR 1,00,000.25", "100000.25"),
        ("US$5", "5"),
        ("5 €", "5"),
        ("-129025", "-129025"),
        ("−7 degrees", "-7"),  # noqa: RUF001 - the minus sign
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("(-5)", "-5"),
        ("20 - 5", "5"),
        ("20-5", "5"),
        ("20-$5", "5"),
        ("-.5", "-0.5"),
        ("...5", "5"),
        ("1.5e3", "1500"),
        ("1.5E-3", "0.0015"),
        ("1.5 x 10^3", "1500"),
        ("2×10^-2", "0.02"),  # noqa: RUF001 - the multiplication sign
        ("कुल १२३ रुपये", "123"),
        ("१,२३,४५६.५", "123456.5"),
        ("১২ টাকা", "12"),
        ("٣٫٥", "3.5"),  # noqa: RUF001 - Arabic digits
        ("答案是18", "18"),
        ("1'234", "1234"),
        ("1\u202f234\u00a0567", "1234567"),
        ("5 m²", "5"),
        ("5 m2", "5"),
        ("CO2 fell by 5", "5"),
        ("1,234,5", "5"),
        ("007", "7"),
        ("it fell to –18 degrees", "-18"),  # noqa: RUF001 - the en dash
        ("–18", "-18"),  # noqa: RUF001
        ("(‒18)", "-18"),  # noqa: RUF001 - the figure dash
        ("–$18", "-18"),  # noqa: RUF001
        ("10–18", "18"),  # noqa: RUF001
        ("10%–18%", "18"),  # noqa: RUF001
        ("10€–18€", "18"),  # noqa: RUF001
        ("$10–$18", "18"),  # noqa: RUF001
        ("10 – 18", "18"),  # noqa: RUF001
        ("COVID–19", "19"),  # noqa: RUF001
        ("70 000", "70000"),
        ("€1 234 567.5 a year", "1234567.5"),
        ("Rs.70 000", "70000"),
        ("-70 000", "-70000"),
        ("in 2020 500", "500"),
        ("12 34 567", "567"),
        ("0 500", "500"),
        ("70 0000", "0"),
        ("70  000", "0"),
        ("3 100-gram bars", "100"),
        (r"70{,}000", "70000"),
        (r"70\,000 and 80,\!000", "80000"),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, number: str) -> None:
    assert read(text) == Fraction(Decimal(number))


@pytest.mark.parametrize(
    ("text", "number"),
    [("1/2", "1/2"), ("2 1/2 cups", "5/2"), ("½", "1/2"), ("2½", "5/2"), ("-3/4", "-3/4"), ("9/3", "3")],
)
def test_fractions_are_read(text: str, number: str) -> None:
    assert read(text) == Fraction(number)


@pytest.mark.parametrize("text", ["", "none", "H2O", "v1.2.3", "eighteen", "1/0", "x_2", "9" * 401])
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    assert read(text) is None


def test_a_decimal_comma_is_read_only_when_told_so() -> None:
    assert read("3,5") == 5
    assert read("3,5", decimal_comma=True) == Fraction(7, 2)
    assert read("1.234,5", decimal_comma=True) == Fraction(2469, 2)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3 + 4 = 7\nA: 18\nHope that helps for all 7 days", 18),
        ("#### 18\nin 7 days", 18),
        ("A: 1\nA: 2", 2),
        ("A: 5 + 3 = 8", 8),
        ("A: $18 for 7 days", 18),
        ("**Answer:** 18 in 7 days", 18),
        ("**Final Answer:**\n\n18\n\nin 7 days", 18),
        ("Answer: in 3 days she sold 18\nAsk me 10 more", 18),
        ("A: none\n18", 18),
        ("#### Step 2\nso it is 18", 18),
        ("#### 2. Add them up\nso it is 18", 18),
        ("<<9*2=18>>18 dollars\n#### 18", 18),
        ("CASA: 5 of 18", 18),
        ("ANSWER: 18. Step count 3", 18),
        ("**FINAL ANSWER:** 18 in 7 days", 18),
        ("a: 5\nb: 18", 18),
        (r"so $\boxed{18}$ in 7 days", 18),
        (r"\boxed{5} no, \boxed{18} after 3 tries = 4", 18),
        (r"\boxed{x = 18 \text{ of } 20}, 7", 18),
        (r"\boxed{\text{in all } 18} of 20", 18),
        (r"\boxed{\$18} of 20", 18),
        ("\\boxed{18\nof 20", 18),
        (r"\boxed{} so it is 18", 18),
    ],
)
def test_the_number_behind_the_last_marker_counts(text: str, number: int) -> None:
    assert read(text) == number


@quick
@given(st.decimals(min_value=-(10**9), max_value=10**9, places=3))
def test_a_number_is_found_however_it_is_grouped(number: Decimal) -> None:
    assert read(f"The total is {number:,}.") == Fraction(number)
    assert read(f"5 and then ${number:,f} per day") == Fraction(number)
    assert read(str(number)) == Fraction(number)


@quick
@given(st.text(alphabet=st.sampled_from("0123456789 .,-+/eE$#A:=\n½१x^'"), max_size=60))
def test_no_text_is_too_strange_to_be_scored(text: str) -> None:
    assert numeric()(golden="18", answer=text).value in (0, 1)


@pytest.mark.parametrize(
    "text",
    [
        *("1" * 300_000, "1," * 50_000, "1/" * 50_000, "-$" * 50_000, " 1" * 50_000, "100 " * 50_000),
        *("A: \n" * 50_000, "#### " * 50_000),
        *("\\boxed{" * 50_000, "\\boxed{1} " * 50_000, "\\boxed{" + "{}" * 100_000),
        "–" * 300_000,  # noqa: RUF001 - the en dash
    ],
)
def test_a_model_in_a_loop_does_not_hold_up_the_run(text: str) -> None:
    """Each takes well under a second; quadratic work here would take minutes."""
    assert numeric()(golden="18", answer=text).value == 0


def test_equality_is_that_of_decimals() -> None:
    rule = numeric()

    assert rule(golden="18", answer="18.00").value == 1
    assert rule(golden="0.5", answer="1/2").value == 1
    assert rule(golden="0.3", answer="0.30000000000000004").value == 0
    assert rule(golden="18", answer="-18").value == 0
    assert rule(golden="18", answer="–18").value == 0  # noqa: RUF001 - the en dash
    assert rule(golden="-18", answer="–18").value == 1  # noqa: RUF001


def test_a_difference_is_explained() -> None:
    assert numeric()(golden="A: 18", answer="A: 4").comment == "expected 18, found 4"
    assert numeric()(golden="A: 18", answer="I do not know").comment == "expected 18, found no number"
    assert numeric()(golden="A: 18", answer="18").comment is None


def test_no_number_in_the_answer_is_wrong_but_none_in_the_golden_answer_is_unscoreable() -> None:
    assert numeric()(golden="18", answer="no idea").value == 0
    assert numeric()(golden="no idea", answer="18").reason is UnscoreableReason.EMPTY_GROUND_TRUTH


@pytest.mark.parametrize(
    ("tolerance", "relative", "answer", "expected"),
    [
        (0.01, 0, "18.01", 1),
        (0.01, 0, "18.011", 0),
        (0.1, 0, "17.9", 1),
        (0, 0.1, "19.8", 1),
        (0, 0.1, "16.19", 0),
        (1, 0.1, "16.2", 1),
    ],
)
def test_tolerances_are_exact_at_their_edge(tolerance: float, relative: float, answer: str, expected: int) -> None:
    rule = numeric(tolerance=tolerance, relative_tolerance=relative)

    assert rule(golden="18", answer=answer).value == expected


@pytest.mark.parametrize(("model", "correct"), [("175b_finetuning", 458), ("175b_verification", 742)])
def test_every_recorded_answer_is_judged_as_its_authors_judged_it(model: str, correct: int) -> None:
    questions = read_lines("questions.jsonl")
    recorded = read_lines("recorded_answers.jsonl")
    rule = numeric()
    disagreements, total = [], 0.0
    for question, record in zip(questions, recorded, strict=True):
        assert question["question"] == record["question"]
        score = rule(golden=question["answer"], answer=record["answers"][model])
        assert score.value is not None
        total += score.value
        if score.value != record["correct"][model]:
            disagreements.append((question["question"], score))

    assert disagreements == []
    assert total == correct
    assert len(questions) == 1319
