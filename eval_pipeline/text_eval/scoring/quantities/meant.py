"""What an answer may mean beside what it writes: years of when, brackets of accountants, a loss, a dot of thousands."""

import re
from dataclasses import replace

from eval_pipeline.text_eval.scoring.quantities.kinds import Amount, Day, Found, Share
from eval_pipeline.text_eval.scoring.quantities.matching import Tolerance, Verdict, compare
from eval_pipeline.text_eval.scoring.quantities.passages import Passage
from eval_pipeline.text_eval.scoring.quantities.units import PROPORTION

_FIRST_YEAR, _LAST_YEAR = 1000, 2999
_FALLS = re.compile(
    r"(?i)\b(?:declin|decreas|f[ae]ll|drop|loss|lost|deficit|reduc|shr[ai]nk|overdraft|owe)"
    r"|कमी|गिरावट|घाट|नुकसान|कम हु|घट"
)
"""What makes a bare number one below zero."""
_DOT_GROUP = re.compile(r"(?<![\d.,])[1-9][0-9]{0,2}\.[0-9]{3}(?![\d.,])")
"""1.234, which is a thousand and more in most of Europe."""


def without_times(golden: Found, passage: Passage) -> Passage:
    """Leave out years that only tell of when, unless a year was asked for."""
    asked = golden.quantity
    is_year = isinstance(asked, Day) or (
        isinstance(asked, Amount) and asked.unit is None and _FIRST_YEAR <= asked.value.approximate() <= _LAST_YEAR
    )
    if is_year or all(found.when or found.aside for found in passage.found):
        return passage
    found = tuple(replace(one, aside=True) if one.when else one for one in passage.found)
    return replace(passage, found=found)


def as_accountants_write(golden: Found, passage: Passage) -> Found:
    """Return a golden number in round brackets as minus that number, where the answer has a sign or brackets too."""
    final, asked = passage.shown[-1].quantity, golden.quantity
    is_negative = passage.negative_brackets or (isinstance(final, Amount) and final.value.factor < 0)
    if not is_negative or not isinstance(asked, Amount) or asked.value.factor < 0:
        return golden
    return replace(golden, quantity=replace(asked, value=asked.value.scaled(-1)))


def otherwise_said(golden: Found, final: Found, passage: Passage, allowed: Tolerance, *, answer: str) -> Verdict:
    """Judge what is not the golden quantity as it stands: 5 of 7 (71 %), a loss of 500, 1.234 for 1,234."""
    behind = next((found for found in passage.found if found.begin >= final.end), None)
    if behind is not None and behind.begin - final.end <= len(" (= ") and _is_share_beside(final, behind):
        return compare(golden.quantity, behind.quantity, allowed)
    asked, told = golden.quantity, final.quantity
    if not isinstance(asked, Amount) or not isinstance(told, Amount):
        return Verdict.OTHER
    if asked.value.factor < 0 < told.value.factor and _FALLS.search(answer):
        turned = compare(golden.quantity, replace(told, value=told.value.scaled(-1)), allowed)
        return Verdict.UNCLEAR if turned is Verdict.SAME else Verdict.OTHER
    for one, other in ((golden, final), (final, golden)):
        if _DOT_GROUP.search(one.text) and isinstance(one.quantity, Amount):
            grouped = replace(one.quantity, value=one.quantity.value.scaled(1000))
            if compare(other.quantity, grouped, allowed) is Verdict.SAME:
                return Verdict.UNCLEAR
    return Verdict.OTHER


def _is_share_beside(final: Found, behind: Found) -> bool:
    """Tell whether a share and its percentage stand side by side, one of them in brackets."""
    kinds = {type(found.quantity) for found in (final, behind)}
    percent = [found.quantity for found in (final, behind) if isinstance(found.quantity, Amount)]
    return kinds == {Share, Amount} and all(
        one.unit is not None and one.unit.dimension == PROPORTION for one in percent
    )
