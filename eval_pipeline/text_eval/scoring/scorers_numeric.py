"""The numeric scorer: the quantity an answer ends with against the golden one; of several, all in their order."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction

from eval_pipeline.text_eval.scoring.quantities.exact import Exact
from eval_pipeline.text_eval.scoring.quantities.kinds import (
    Amount,
    Digits,
    Found,
    Quantity,
    Range,
    Unreadable,
    amount_key,
)
from eval_pipeline.text_eval.scoring.quantities.matching import Tolerance, Verdict, compare
from eval_pipeline.text_eval.scoring.quantities.meant import as_accountants_write, otherwise_said, without_times
from eval_pipeline.text_eval.scoring.quantities.passages import Passage, is_in_brackets, read_passage
from eval_pipeline.text_eval.scoring.quantities.plain import plain
from eval_pipeline.text_eval.scoring.quantities.units import Unit
from eval_pipeline.text_eval.scoring.quantities.written_out import is_ordinal
from eval_pipeline.text_eval.scoring.score_values import ScoreValue, UnscoreableReason
from eval_pipeline.text_eval.scoring.scorers_text import TextRule

MOST_GOLDEN_QUANTITIES = 200
"""A golden answer with more is a table, which is not compared number by number."""
_SHOWN_CHARACTERS = 40
_TIMES_OF_LIFE = frozenset({"calendar", "clock"})
_LONGEST_TELEPHONE_NUMBER = 20
_LONGEST_SUBSCRIBER_BEHIND_CODE = 10


_PART_OF_A_YEAR = re.compile(
    r"""(?xi)
      (?<!\w)(?:Q[1-4]|[1-4]Q|H[12])\W{0,3}(?:of\s)?(?:FY\W?[0-9]{2}|['\u2019][0-9]{2}(?!\w)|(?:19|20)[0-9]{2}(?!\w))
    | (?<!\w)[1-4]Q[0-9]{2}(?!\w)                                             # 1Q24; above: Q1 2024, H1 FY24
    | (?<![0-9])[0-9]{4}[\s/-]{0,2}(?:Q[1-4]|H[12])(?!\w)                       # 2024-Q1
    | \b(?:first|second|third|fourth|last|1st|2nd|3rd|4th)\s(?:quarter|half)\W{1,2}(?:of\s)?(?:FY\W?)?[0-9]{4}(?![0-9])
    """
)
"""Of these only the year would be read, and every quarter be as good as another."""


def numeric(*, tolerance: float = 0.0, relative_tolerance: float = 0.0, decimal_comma: bool = False) -> TextRule:
    r"""1 if the quantity that the answer ends with is that of the golden answer; of several, all in their order.

    Read are numbers in any digits and grouping, with scale words (5 lakh, 2.5 million, साढ़े 3 करोड़), fractions, powers
    and roots, also in LaTeX; ranges, ratios, shares (4 of 5), dates, times of day and compound measures (1 year 6
    months); numbers in words where a text has no digits. Behind a marker (``A:``, ``Answer:``, ``उत्तर:``, ``####``,
    ``\boxed{``) the quantity that follows it counts. Passed over are asides in brackets, citations, footnotes, pages,
    and the numbering of lists.

    Equal means equal as exact numbers (18 = 18.0 = 36/2), or nearer than the greater of ``tolerance`` and
    ``relative_tolerance`` times the golden number. Known units are compared where both have one, and converted: 90
    minutes are 1.5 hours, 5 mg are not 5 g, ₹5 is not $5; 18 % equals a bare 18. ``decimal_comma`` reads 1.234,5 as in
    most of Europe. No quantity in the answer is 0; none that can be read in the golden answer is
    ``empty_ground_truth``; an answer that may mean two things (05/06/2024, a calculation without result) is
    ``unreadable_output``.
    """
    if min(tolerance, relative_tolerance) < 0:
        raise ValueError("a tolerance is negative")
    allowed = Tolerance(_exact(tolerance), _exact(relative_tolerance))

    def rule(*, golden: str, answer: str) -> ScoreValue:
        expected = golden_quantities(golden, decimal_comma=decimal_comma)
        if not expected:
            return ScoreValue.unscoreable(
                UnscoreableReason.EMPTY_GROUND_TRUTH, "the golden answer holds no quantity that can be read"
            )
        passage = read_passage(answer, decimal_comma=decimal_comma)
        if not passage.found:
            return ScoreValue(0.0, comment=f"expected {_shown(expected)}, found no quantity")
        if len(expected) == 1:
            wanted = as_accountants_write(expected[0], passage) if is_in_brackets(golden) else expected[0]
            return _one(wanted, passage, allowed, answer=answer)
        score = _several(expected, passage.shown, allowed)
        if score.value == 0 and passage.in_words:
            with_words = _several(expected, _with_words(passage), allowed)
            score = with_words if with_words.value == 1 else score
        if score.value == 0 and len(passage.found) > len(passage.shown):
            beside = _several(expected, passage.found, allowed)  # 5 of 7 (71 %)
            return beside if beside.value == 1 else score
        return score

    return rule


def holds_quantity(
    *, tolerance: float = 0.0, relative_tolerance: float = 0.0, decimal_comma: bool = False
) -> Callable[[str], bool]:
    """Return what tells whether a golden answer holds a quantity that can be read."""
    del tolerance, relative_tolerance
    return lambda golden: bool(golden_quantities(golden, decimal_comma=decimal_comma))


def golden_quantities(golden: str, *, decimal_comma: bool = False) -> tuple[Found, ...]:
    """Return what an answer must say; empty where the golden answer holds nothing that can be read."""
    if _PART_OF_A_YEAR.search(golden):
        return ()
    passage = read_passage(golden, decimal_comma=decimal_comma)
    found = passage.found if passage.marked == "none" else passage.found[: passage.line_end]
    expected = Passage(found).shown
    if len(expected) > MOST_GOLDEN_QUANTITIES or any(isinstance(found.quantity, Unreadable) for found in expected):
        return ()
    return expected


def _one(golden: Found, passage: Passage, allowed: Tolerance, *, answer: str) -> ScoreValue:
    """Compare one golden quantity with the one that the answer ends with."""
    if isinstance(golden.quantity, Digits):
        text, digits = plain(answer), golden.quantity.digits
        codes = range(4 if golden.text.startswith("+") and len(digits) > _LONGEST_SUBSCRIBER_BEHIND_CODE else 1)
        if any(_holds_digits(text, digits[code:]) for code in codes):
            return ScoreValue(1.0)
    final, alone = _final(golden, without_times(golden, passage))
    expected = f"expected {_shown([golden])}"
    if _is_only_a_word_of_order(golden, final):
        return ScoreValue(0.0, comment=f"{expected}, found {_shown([final])}")
    verdict = compare(golden.quantity, final.quantity, allowed)
    if passage.negative_brackets:
        verdict = _in_brackets(golden, final, allowed, verdict=verdict)
    if alone is not None:
        return _among_several(golden, alone, allowed, expected=expected)
    if verdict is Verdict.OTHER:
        verdict = otherwise_said(golden, final, passage, allowed, answer=answer)
    return _score(verdict, expected=expected, found=_shown([final]))


def _is_only_a_word_of_order(golden: Found, final: Found) -> bool:
    """Tell whether "first" or "second" stands where a count was asked for."""
    asks_for_one = isinstance(golden.quantity, Amount) and not golden.quantity.ordinal
    return asks_for_one and is_ordinal(final) and not any(character.isdecimal() for character in final.text)


def _final(golden: Found, passage: Passage) -> tuple[Found, tuple[Found, Found] | None]:
    """Return the quantity that the answer gives, and the pair it is one of where it is "3 or 4" or "3,5"."""
    shown = passage.shown
    in_a_row = _final_ordinal(golden, passage)
    if in_a_row is not None:
        return in_a_row, None
    if golden.label:
        same = [found for found in passage.found if found.label == golden.label]
        if same:
            return same[-1], None
    on_line = [found for found in passage.found[: passage.line_end] if not found.aside]
    if passage.marked == "first" and on_line:
        at = shown.index(on_line[0])
        following = shown[at + 1] if at + 1 < len(shown) else None
        pair = (shown[at], following) if following is not None and following.joint else None
        return _of_its_kind(golden, shown[at], passage), pair
    last = on_line[-1] if passage.marked == "line" and on_line else shown[-1]
    at = shown.index(last)
    final = _of_its_kind(golden, last, passage)
    return final, ((shown[at - 1], last) if last.joint and at > 0 and final is last else None)


def _of_its_kind(golden: Found, final: Found, passage: Passage) -> Found:
    """Return the last quantity of the golden one's kind, where the final one answers another question.

    Weeks where doses are asked, days where millilitres are: what an answer adds, not what it says.
    """
    by_the_same = _per_of(golden)
    if by_the_same is not None and _per_of(final) is None:
        beside = [found for found in passage.shown if _per_of(found) == by_the_same]
        final = beside[-1] if beside else final  # 6,000 a year, in instalments of 2,000
    asked, told = amount_key(golden.quantity), amount_key(final.quantity)
    if asked == told or not _is_another_question(asked, told):
        return final
    same = [found for found in passage.shown if _answers(asked, found.quantity)]
    written = (
        [] if same or not asked[2] else [found for found in passage.in_words if amount_key(found.quantity) == asked]
    )
    return (same or written or [final])[-1]


def _final_ordinal(golden: Found, passage: Passage) -> Found | None:
    """Return the last number of a row where one was asked for: the 3rd dose, in the third month."""
    if not (isinstance(golden.quantity, Amount) and golden.quantity.ordinal):
        return None
    in_digits = [found for found in passage.shown if is_ordinal(found)]
    in_words = [found for found in passage.in_words if is_ordinal(found)]
    return max([*in_digits, *in_words], key=lambda found: found.begin, default=None)


def _per_of(found: Found) -> Unit | None:
    return found.quantity.per if isinstance(found.quantity, Amount) else None


def _answers(asked: tuple[str, str, str], found: Quantity) -> bool:
    """Tell whether a quantity is of the kind that was asked for; a bare number may count anything."""
    bare = isinstance(found, Amount) and asked == ("Amount", "", "") and found.unit is None
    return bare or amount_key(found) == asked


def _is_another_question(asked: tuple[str, str, str], told: tuple[str, str, str]) -> bool:
    kind, dimension, noun = asked
    if kind in {"Day", "Clock", "Digits"}:
        return told[0] == "Amount"
    if kind == "Amount" and told[0] == "Clock":
        return True  # 104, from 8 am to 8 pm
    if kind != "Amount" or told[0] != "Amount" or not (dimension or noun):
        return False
    return bool(told[1]) and told[1] != dimension and not {told[1], dimension} <= _TIMES_OF_LIFE


def _among_several(golden: Found, pair: tuple[Found, Found], allowed: Tolerance, *, expected: str) -> ScoreValue:
    """Judge "3 or 4" and "3,5" where one quantity is expected."""
    first, second = pair
    found = f"found several, {_shown(pair)}"
    if _is_decimal_comma(pair, golden, allowed):
        return _unclear(f"{expected}, {found}: is it a decimal comma? set decimal_comma")
    if (
        isinstance(first.quantity, Amount)
        and isinstance(second.quantity, Amount)
        and isinstance(golden.quantity, Range)
    ):
        said = Range(first.quantity, second.quantity)
        if second.joint == "or" and second.quantity.value.approximate() - first.quantity.value.approximate() > 1:
            return ScoreValue(0.0, comment=f"{expected}, {found}")  # 5 or 7 is not 5-7
        return _score(compare(golden.quantity, said, allowed), expected=expected, found=_shown(pair))
    if amount_key(first.quantity)[:2] != amount_key(second.quantity)[:2]:
        verdict = compare(golden.quantity, second.quantity, allowed)
        return _score(verdict, expected=expected, found=_shown([second]))
    return ScoreValue(0.0, comment=f"{expected}, {found}")


def _in_brackets(golden: Found, final: Found, allowed: Tolerance, *, verdict: Verdict) -> Verdict:
    """Judge an answer that is a number in round brackets: minus that number, as accountants write it."""
    if not isinstance(golden.quantity, Amount) or not isinstance(final.quantity, Amount):
        return verdict
    if final.quantity.value.factor < 0:
        return verdict  # (-7)
    if golden.quantity.value.factor < 0 < final.quantity.value.factor:
        negative = Amount(final.quantity.value.scaled(-1), unit=final.quantity.unit)
        return compare(golden.quantity, negative, allowed)
    return Verdict.UNCLEAR if verdict is Verdict.SAME else verdict


def _several(expected: Sequence[Found], shown: Sequence[Found], allowed: Tolerance) -> ScoreValue:
    """Look for all golden quantities in their order, side by side, and not as a part of a longer list."""
    wanted = f"expected {_shown(expected)}"
    if _is_one_telephone_number(expected, shown):
        return ScoreValue(1.0)
    keys = [amount_key(found.quantity) for found in expected]
    unclear = _is_decimal_comma(expected, shown[-1], allowed)
    for begin in range(len(shown) - len(expected), -1, -1):
        run = shown[begin : begin + len(expected)]
        verdict = _run(expected, run, allowed)
        if verdict is Verdict.SAME and not _is_part_of_list(shown, begin=begin, end=begin + len(expected)):
            return ScoreValue(1.0)
        unclear = unclear or verdict is Verdict.UNCLEAR
        if verdict is Verdict.OTHER and [amount_key(found.quantity) for found in run] == keys and _is_statement(run):
            break  # the answer's last word on it
    if unclear:
        return _unclear(f"{wanted}, found {_shown(shown)}, which may mean it")
    return ScoreValue(0.0, comment=f"{wanted}, found {_shown(shown)}")


def _with_words(passage: Passage) -> tuple[Found, ...]:
    """Return the quantities with those that are written out among them: three doses at 6, 10 and 14 weeks."""
    apart = [
        word
        for word in passage.in_words
        if all(word.end <= one.begin or word.begin >= one.end for one in passage.found)
    ]
    return tuple(sorted((*passage.shown, *apart), key=lambda found: found.begin))


def _run(expected: Sequence[Found], run: Sequence[Found], allowed: Tolerance) -> Verdict:
    unclear = False
    for golden, found in zip(expected, run, strict=True):
        verdict = compare(golden.quantity, found.quantity, allowed)
        if verdict is Verdict.OTHER:
            return verdict
        unclear = unclear or verdict is Verdict.UNCLEAR
    return Verdict.UNCLEAR if unclear else Verdict.SAME


def _is_statement(run: Sequence[Found]) -> bool:
    """Tell whether quantities belong together: the last is joined to the ones before."""
    return bool(run[-1].joint)


def _is_part_of_list(shown: Sequence[Found], *, begin: int, end: int) -> bool:
    """Tell whether a list goes on before or behind: 3, 5 and 7 within 1, 3, 5 and 7."""
    before = begin > 0 and _continues(shown[begin - 1], shown[begin])
    behind = end < len(shown) and _continues(shown[end - 1], shown[end])
    return before or behind


def _continues(first: Found, second: Found) -> bool:
    near = second.begin - first.end <= len(", and ")
    return near and amount_key(first.quantity)[:2] == amount_key(second.quantity)[:2]


def _is_one_telephone_number(expected: Sequence[Found], shown: Sequence[Found]) -> bool:
    """Tell whether the golden answer spells a telephone number with spaces that the answer spells with hyphens."""
    texts = [found.text for found in expected]
    if not all(text.isdecimal() for text in texts):
        return False
    final = shown[-1].quantity
    return isinstance(final, Digits) and final.digits == "".join(texts)


def _holds_digits(text: str, digits: str) -> bool:
    """Tell whether a telephone number stands in the text, however it is cut."""
    if not 0 < len(digits) <= _LONGEST_TELEPHONE_NUMBER:
        return False
    return re.search(r"(?<!\d)" + "[ -]?".join(digits) + r"(?![ -]?\d)", text) is not None


def _score(verdict: Verdict, *, expected: str, found: str) -> ScoreValue:
    match verdict:
        case Verdict.SAME:
            return ScoreValue(1.0)
        case Verdict.OTHER:
            return ScoreValue(0.0, comment=f"{expected}, found {found}")
        case Verdict.UNCLEAR:
            return _unclear(f"{expected}, found {found}, which may mean it or something else")


def _unclear(comment: str) -> ScoreValue:
    return ScoreValue.unscoreable(UnscoreableReason.UNREADABLE_OUTPUT, comment)


def _is_decimal_comma(pair: Sequence[Found], other: Found, allowed: Tolerance) -> bool:
    """Tell whether "3,5" is the other quantity if its comma is a decimal one."""
    if len(pair) != 2 or pair[1].joint != "," or not isinstance(other.quantity, Amount):  # noqa: PLR2004 - a pair
        return False
    whole, part = pair[0].text.replace(",", ""), pair[1].text
    if not (whole.isdecimal() and part.isdecimal()):
        return False
    return compare(other.quantity, Amount(Exact(Fraction(Decimal(f"{whole}.{part}")))), allowed) is Verdict.SAME


def _exact(value: float) -> Fraction:
    """Return the decimal that the float was written as: 0.1 is a tenth."""
    return Fraction(Decimal(repr(value)))


def _shown(found: Sequence[Found]) -> str:
    text = ", ".join(" ".join(quantity.text.split()) for quantity in found[-8:])
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
