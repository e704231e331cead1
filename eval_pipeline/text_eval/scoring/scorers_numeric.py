"""The numeric scorer: the number an answer ends with, against the one its golden answer ends with."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from eval_pipeline.text_eval.scoring.score_values import ScoreValue, UnscoreableReason
from eval_pipeline.text_eval.scoring.scorers_text import TextRule

MAX_NUMBER_CHARACTERS = 400
"""Longer ones are a model caught in a loop; exact arithmetic on millions of digits takes minutes."""
MAX_MARKERS = 16
"""More are a model caught in a loop; each costs a look at the rest of its line."""
_SHOWN_CHARACTERS = 40
_SPELLINGS = str.maketrans(
    {"−": "-", "﹣": "-", "－": "-", "٫": ".", "٬": ",", "⁄": "/"}  # noqa: RUF001 - other scripts' signs
)
_DASH_AS_MINUS = re.compile("(?<![\\w)\\]%‰°€])[–‒](?=[$€£¥₹]?\\.?[0-9])")  # noqa: RUF001 - behind a number it is a range
_SWAP_MARKS = str.maketrans(",.", ".,")
_GROUP_MARK = re.compile(
    r"""(?<=[0-9])
        (?: [\u00a0\u2009\u202f'’] | \{,\} | ,?\\[,!] )    # as Swiss, French and LaTeX write
        (?=[0-9]{3}(?![0-9]))""",  # noqa: RUF001 - the apostrophe
    re.VERBOSE,
)
_SPACED_GROUPS = re.compile(r"(?<![\w.,/])(?<![0-9][ ])[1-9][0-9]{0,2}(?:[ ][0-9]{3})+(?![ ]?[0-9]|/|-[A-Za-z])")
_VULGAR_FRACTION = re.compile("[¼-¾⅐-⅞]")
_CURRENCY_SIGNS = "$€£¥₹₨₩₽₺₫₴₦৳฿₱₪¢"
_CURRENCY = re.compile(
    rf"""(?=[-A-Z{_CURRENCY_SIGNS}])             # passes over other text three times as fast
         ((?<![\w)\]])-)?                       # a sign before the currency
         (?:\b[A-Z]{{1,3}})?
         (?:[{_CURRENCY_SIGNS}] | \bRs\.? | \b(?:INR|USD|EUR|GBP|JPY|CNY))
         \s?(-?)                                # or behind it
         (?=\.?[0-9])""",
    re.VERBOSE,
)
_NUMBER = re.compile(
    r"""(?=[-+.0-9])
        (?P<sign>(?<![\w)\]])[-+])?             # between words or numbers it is a hyphen
        (?<![A-Za-z_0-9])(?<![0-9][./])         # not inside a word, a version or a date
        (?:(?P<whole>[0-9]{1,9})[ ](?=[0-9]{1,9}/[0-9]{1,9}(?![0-9/]|\.[0-9])))?   # 2 1/2
        (?P<digits>
            (?: [0-9]{1,3}(?:,[0-9]{3})+(?![0-9])               # 1,234,567
              | [0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?![0-9])      # 12,34,567
              | [0-9]+
            ) (?:\.[0-9]+)?
          | (?<![\w.])\.[0-9]+
        )
        (?: [eE](?P<exponent>[-+]?[0-9]{1,3})(?![A-Za-z_0-9])
          | \s?[x\u00d7*\u00b7]\s?10\^(?P<power>[-+]?[0-9]{1,3})
          | /(?P<divisor>[0-9]+(?:\.[0-9]+)?)(?![0-9/])
        )?""",
    re.VERBOSE,
)
_BOX = "\\boxed{"
_MARKER = re.compile(
    r"(?:^[ \t>*_]*(?:A|(?i:(?:Final[ ])?Answer))[*_]*:[\s*_]*|\#\#\#\#|" + re.escape(_BOX) + ")", re.MULTILINE
)
_IN_BOX = re.compile(r"(?:[^{}\n]|\{[^{}\n]*\})*")
_ENUMERATION = re.compile(r"[.):]\s*\w")


@dataclass(frozen=True, slots=True)
class FoundNumber:
    """A number and how it was written."""

    value: Fraction
    text: str


def numeric(*, tolerance: float = 0.0, relative_tolerance: float = 0.0, decimal_comma: bool = False) -> TextRule:
    r"""1 if the last number of the answer equals the last number of the golden answer.

    After an ``A:``, ``Answer:``, ``####`` or ``\boxed{`` marker the number that follows it counts. Equal means equal
    as decimals (18 = 18.0 = 36/2), or nearer than the greater of ``tolerance`` and ``relative_tolerance`` times the
    golden number. Signs of currency, units and per cent are not compared: 18 % is 18. ``decimal_comma`` reads 1.234,5
    as in most of Europe. No number in the answer is 0; none in the golden answer is ``empty_ground_truth``.
    """
    if min(tolerance, relative_tolerance) < 0:
        raise ValueError("a tolerance is negative")
    absolute, relative = _exact(tolerance), _exact(relative_tolerance)

    def rule(*, golden: str, answer: str) -> ScoreValue:
        expected = last_number(golden, decimal_comma=decimal_comma)
        if expected is None:
            return ScoreValue.unscoreable(UnscoreableReason.EMPTY_GROUND_TRUTH, "the golden answer holds no number")
        found = last_number(answer, decimal_comma=decimal_comma)
        if found is None:
            return ScoreValue(0.0, comment=f"expected {_shown(expected)}, found no number")
        allowed = max(absolute, relative * abs(expected.value))
        return ScoreValue.truth(
            abs(found.value - expected.value) <= allowed,
            otherwise=f"expected {_shown(expected)}, found {_shown(found)}",
        )

    return rule


def last_number(text: str, *, decimal_comma: bool = False) -> FoundNumber | None:
    """Return the number that the text gives as its result, or None.

    Read are digits of any script, thousands separators (1,234 and 1,23,456, also 1 234 567), decimals, signs, 1.5e3,
    1.5 x 10^3, fractions (1/2, 2 1/2). Without ``decimal_comma`` "3,5" is two numbers, 3 and 5: it cannot be told
    from a list. Not read are words (eighteen), dates, times and LaTeX fractions.
    """
    plain = _plain(text, decimal_comma=decimal_comma)
    match = _marked(plain) or _last(plain)
    return None if match is None else _read(match)


def _marked(text: str) -> re.Match[str] | None:
    """Return the number that one of the last markers points at, or None."""
    markers = list(_MARKER.finditer(text))[-MAX_MARKERS:]
    for marker in reversed(markers):
        found = _in_box(text, marker.end()) if marker[0] == _BOX else _on_line(text, marker)
        if found is not None:
            return found
    return None


def _on_line(text: str, marker: re.Match[str]) -> re.Match[str] | None:
    """Return the marker's number: right behind it, or the line's last; behind the line's last ``=`` if it has one."""
    line_end = text.find("\n", marker.end())
    end = len(text) if line_end < 0 else line_end
    begin = max(marker.end(), text.rfind("=", marker.end(), end) + 1)
    first = _NUMBER.search(text, begin, end)
    if first is None:
        return None
    adjacent = not re.search(r"\w", text[begin : first.start()])
    if marker[0] == "####":
        # also a Markdown heading: "#### Step 2", "#### 2. Add them up"
        return first if adjacent and not _ENUMERATION.match(text, first.end(), end) else None
    return first if adjacent else _last(text, begin, end)


def _in_box(text: str, begin: int) -> re.Match[str] | None:
    """Return the number of a LaTeX box, chosen as that of a line."""
    inside = _IN_BOX.match(text, begin)
    end = begin if inside is None else inside.end()
    begin = max(begin, text.rfind("=", begin, end) + 1)
    first = _NUMBER.search(text, begin, end)
    adjacent = first is not None and not re.search(r"\w", text[begin : first.start()])
    return first if adjacent else _last(text, begin, end)


def _last(text: str, begin: int = 0, end: int | None = None) -> re.Match[str] | None:
    found = None
    for match in _NUMBER.finditer(text, begin, len(text) if end is None else end):
        found = match
    return found


def _read(match: re.Match[str]) -> FoundNumber | None:
    if match.end() - match.start() > MAX_NUMBER_CHARACTERS:
        return None
    value = Fraction(Decimal(match["digits"].replace(",", "")))
    power = match["exponent"] or match["power"]
    if power is not None:
        value *= Fraction(10) ** int(power)
    if match["divisor"] is not None:
        divisor = Fraction(Decimal(match["divisor"]))
        if divisor == 0:
            return None
        value /= divisor
    if match["whole"] is not None and value < 1:
        value += int(match["whole"])
    return FoundNumber(value=-value if match["sign"] == "-" else value, text=match[0])


def _plain(text: str, *, decimal_comma: bool) -> str:
    """Write the numbers of the text in ASCII, without currency."""
    if not text.isascii():
        text = _VULGAR_FRACTION.sub(lambda match: " " + unicodedata.normalize("NFKC", match[0]), text)
        text = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
        text = _DASH_AS_MINUS.sub("-", text.translate(_SPELLINGS))
    text = _GROUP_MARK.sub("", text)
    text = text.translate(_SWAP_MARKS) if decimal_comma else text
    text = _CURRENCY.sub(r" \1\2", text)
    return _SPACED_GROUPS.sub(lambda match: match[0].replace(" ", ""), text)


def _exact(value: float) -> Fraction:
    """Return the decimal that the float was written as: 0.1 is a tenth."""
    return Fraction(Decimal(repr(value)))


def _shown(number: FoundNumber) -> str:
    text = number.text
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
