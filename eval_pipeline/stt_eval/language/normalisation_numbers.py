"""Digit groups of numbers: ``1,000`` and ``1,00,000`` are one token each, ``1,2,3`` is three.

Separate because the comma between digits is the one sign whose meaning depends on its surroundings.
"""

import re

_COMMA = "[,\u066c]"  # comma, Arabic thousands separator
_DIGIT_GROUPS = re.compile(
    rf"""(?<![0-9])(?<![0-9][.,\u066b\u066c])      # not in the middle of a number or a list of numbers
         [1-9](?:
             [0-9]{{0,2}}(?:{_COMMA}[0-9]{{3}})+                  # 1,234,567
           | [0-9]?(?:{_COMMA}[0-9]{{2}})+{_COMMA}[0-9]{{3}}      # 12,34,567
         )
         (?!{_COMMA}?[0-9])""",
    re.VERBOSE,
)
_SEPARATOR = re.compile(_COMMA)


def join_digit_groups(text: str) -> str:
    """Remove the commas of grouped ASCII digits, in thousands or in the Indian way (thousand, lakh, crore).

    A group is real when the number begins with 1 to 9, the last group has three digits, the others three or two, and
    no digit or further group follows: ``0,500``, ``1,2,3`` and ``1000,000`` are left alone. ``3,500`` is read as a
    group, although some languages write three and a half so.
    """
    if "," not in text and "\u066c" not in text:
        return text
    return _DIGIT_GROUPS.sub(lambda number: _SEPARATOR.sub("", number[0]), text)
