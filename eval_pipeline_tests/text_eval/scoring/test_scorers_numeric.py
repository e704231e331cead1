"""The quantity that an answer ends with, in the ways people and models write it."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.text_eval.scoring.quantities.kinds import Amount
from eval_pipeline.text_eval.scoring.score_values import UnscoreableReason
from eval_pipeline.text_eval.scoring.scorers_numeric import golden_quantities, numeric

GSM8K = Path(__file__).parents[3] / "examples" / "gsm8k"
CASES = Path(__file__).parent / "cases"
quick = settings(max_examples=300, deadline=None, derandomize=True)


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def read(text: str) -> Fraction | None:
    """Return the number that a text ends with."""
    found = golden_quantities(text)
    if not found or not isinstance(found[-1].quantity, Amount):
        return None
    return found[-1].quantity.value.factor


@pytest.mark.parametrize(
    "pair",
    [pair for pair in read_lines(CASES / "text_pairs.jsonl") if pair["scorer"] == "numeric"],
    ids=lambda pair: pair["id"],
)
def test_pairs_of_public_reports_are_judged_right(pair: dict[str, Any]) -> None:
    """Each failed once, in the project that its source names or in this one."""
    assert numeric()(golden=pair["golden"], answer=pair["answer"]).value == pair["expected"]


def test_their_neighbours_are_judged_right() -> None:
    """Scale words, grouping, signs, units, dates, times, ratios, ranges, powers, LaTeX, what follows an answer."""
    rule, wrong = numeric(), []
    for pair in read_lines(CASES / "quantity_pairs.jsonl"):
        score = rule(golden=pair["golden"], answer=pair["answer"])
        if ("unscoreable" if score.value is None else score.value) != pair["expected"]:
            wrong.append((pair, score))

    assert wrong == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("18", "18"),
        ("#### 18", "18"),
        ("The answer is $1,234.50.", "1234.5"),
        ("18 km/h", "18"),
        ("INR 1,00,000.25", "100000.25"),
        ("-129025", "-129025"),
        ("-$5", "-5"),
        ("$-5", "-5"),
        ("-.5", "-0.5"),
        ("...5", "5"),
        ("1.5E-3", "0.0015"),
        ("1.5 x 10^3", "1500"),
        ("१,२३,४५६.५", "123456.5"),
        ("٣٫٥", "3.5"),  # noqa: RUF001 - Arabic digits
        ("答案是18", "18"),
        ("1'234", "1234"),
        ("1\u202f234\u00a0567", "1234567"),
        ("5 m²", "5"),
        ("CO2 fell by 5", "5"),
        ("007", "7"),
        ("it fell to –18 degrees", "-18"),  # noqa: RUF001 - the en dash
        ("–$18", "-18"),  # noqa: RUF001
        ("70 000", "70000"),
        ("€1 234 567.5 a year", "1234567.5"),
        ("0 500", "500"),
        ("3 100-gram bars", "100"),
        (r"70\,000", "70000"),
        (r"80,\!000", "80000"),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, number: str) -> None:
    assert read(text) == Fraction(Decimal(number))


@pytest.mark.parametrize("text", ["", "none", "H2O", "v1.2.3", "COVID-19", "1/0", "x_2", "9" * 401])
def test_what_is_no_number_is_not_taken_for_one(text: str) -> None:
    assert read(text) is None


def test_a_decimal_comma_is_read_only_when_told_so() -> None:
    comma = numeric(decimal_comma=True)

    assert comma(golden="3,5", answer="3,5").value == 1
    assert comma(golden="1.234,5", answer="1.234,50 kg").value == 1
    assert numeric()(golden="3.5", answer="3,5").reason is UnscoreableReason.UNREADABLE_OUTPUT


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3 + 4 = 7\nA: 18\nHope that helps for all 7 days", 18),
        ("#### 18\nin 7 days", 18),
        ("A: 1\nA: 2", 2),
        ("A: 5 + 3 = 8", 8),
        ("A: $18 for 7 days", 18),
        ("**Final Answer:**\n\n18\n\nin 7 days", 18),
        ("Answer: in 3 days she sold 18\nAsk me 10 more", 18),
        ("A: none\n18", 18),
        ("#### Step 2\nso it is 18", 18),
        ("#### 2. Add them up\nso it is 18", 18),
        ("<<9*2=18>>18 dollars\n#### 18", 18),
        ("ANSWER: 18. Step count 3", 18),
        (r"so $\boxed{18}$ in 7 days", 18),
        (r"\boxed{5} no, \boxed{18} after 3 tries = 4", 18),
        (r"\boxed{x = 18 \text{ of } 20}, 7", 18),
        (r"\boxed{\$18} of 20", 18),
        ("\\boxed{18\nof 20", 18),
        (r"\boxed{} so it is 18", 18),
    ],
)
def test_the_number_behind_the_last_marker_counts(text: str, number: int) -> None:
    assert numeric()(golden=str(number), answer=text).value == 1


@quick
@given(st.decimals(min_value=-(10**9), max_value=10**9, places=3))
def test_a_number_is_found_however_it_is_grouped(number: Decimal) -> None:
    assert read(f"The total is {number:,}.") == Fraction(number)
    assert read(f"Then it was ${number:,f} per day") == Fraction(number)
    assert read(str(number)) == Fraction(number)


@quick
@given(st.text(alphabet=st.sampled_from("0123456789 .,-+/eE$#A:=\n½१x^'"), max_size=60))
def test_no_text_is_too_strange_to_be_scored(text: str) -> None:
    assert numeric()(golden="18", answer=text).value in (0, 1, None)


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
    assert numeric()(golden="A: 18", answer="I do not know").comment == "expected 18, found no quantity"
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
    questions = read_lines(GSM8K / "questions.jsonl")
    recorded = read_lines(GSM8K / "recorded_answers.jsonl")
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


@pytest.mark.parametrize(
    "golden", ["Q1 2024", "2024-Q1", "1Q24", "H1 FY24", "Q3 \u201924", "the first quarter of 2024"]
)
def test_a_part_of_a_year_is_unscoreable_and_not_its_year(golden: str) -> None:
    assert numeric()(golden=golden, answer="Q2 2024").reason is UnscoreableReason.EMPTY_GROUND_TRUTH
    assert numeric()(golden="Q4: 18", answer="18").value == 1
    assert golden_quantities("a quarter of 2024")
