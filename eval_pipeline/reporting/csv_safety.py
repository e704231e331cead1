"""Keeps a spreadsheet from running what a model or a dataset wrote (OWASP, "CSV Injection").

A cell is taken for a formula when it begins with ``= + - @``, their wide forms, a tab or a line break, also after
spaces and invisible characters. An apostrophe in front makes it text. Plain numbers such as ``-1.5e3`` compute nothing
and stay as they are.
"""

import re
from decimal import Decimal

Cell = str | int | float | Decimal | bool | None

_FORMULA = re.compile(
    r"[\t\r\n]"
    r"|[\s\x00-\x20\x7f-\xa0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]*"  # what is not seen at all
    r"[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]"  # the full-width and the small forms
)
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def defused(text: str) -> str:
    """Return the text as a spreadsheet will only ever show it.

    >>> defused("=1+1"), defused(" @SUM(A1)"), defused("-5"), defused("a = b")
    ("'=1+1", "' @SUM(A1)", '-5', 'a = b')
    """
    if _FORMULA.match(text) is None or _PLAIN_NUMBER.fullmatch(text):
        return text
    return f"'{text}"


def undefused(text: str) -> str:
    """Return what ``defused`` was given, when a cell comes back; a text that needed no apostrophe keeps its own.

    >>> undefused("'=1+1"), undefused("'quoted'"), undefused("'-5")
    ('=1+1', "'quoted'", "'-5")
    """
    return text[1:] if text.startswith("'") and defused(text[1:]) == text else text


def csv_cell(value: Cell) -> str:
    """Write one value for a CSV: missing is empty, numbers keep their full precision and a plain decimal form."""
    match value:
        case None:
            return ""
        case str():
            return defused(value)
        case bool():
            return str(value).lower()
        case Decimal():
            return plain_decimal(value)
        case _:
            return repr(value)


def plain_decimal(value: Decimal) -> str:
    """Write a decimal without exponent and without zeros that say nothing.

    >>> plain_decimal(Decimal("0.000012300000000000")), plain_decimal(Decimal("1E+2")), plain_decimal(Decimal("0.00"))
    ('0.0000123', '100', '0')
    """
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
