# ruff: noqa: RUF001 - signs of many scripts
"""The lexer: numbers, words, dates, dial readings and signs. Every repetition is bounded, so that it is linear."""

import re
from typing import Literal, NamedTuple

Kind = Literal["number", "word", "power", "date", "colons", "chain", "phone", "newline", "sign"]

_MARKS = (
    "\u0300-\u036f\u064b-\u0655\u0670\u0900-\u0963\u0971-\u09e3\u09f0-\u0a65\u0a70-\u0ae5"
    "\u0af0-\u0b65\u0b70-\u0be5\u0bf3-\u0c65\u0c70-\u0ce5\u0cf0-\u0d65\u0d70-\u0dff\u200c"
    "\u200d"
)
_LETTER = "[^\\W\\d_⁰¹²³⁴-⁹]"
_TOKEN = re.compile(
    rf"""
      (?P<date>(?<![\d.,/-])(?:
            (?:1[0-9]|20)[0-9]{{2}}(?P<iso>[-/.])[0-9]{{1,2}}(?P=iso)[0-9]{{1,2}}
          | [0-9]{{1,2}}(?P<dmy>[-/.])[0-9]{{1,2}}(?P=dmy)(?:[0-9]{{4}}|[0-9]{{2}})
          | [0-9]{{4}}年[0-9]{{1,2}}月[0-9]{{1,2}}日
        )(?![0-9])(?![-/.][0-9])(?:T(?=[0-9]{{2}}:))?)
    | (?P<colons>(?<![\d:.])[0-9]{{1,5}}(?::[0-9]{{1,5}}){{1,3}}(?![0-9])(?:[.][0-9]{{1,6}}(?![0-9]))?)
    | (?P<chain>(?<![\d.,/])[0-9]{{1,9}}
        (?:(?:/[0-9]{{1,9}}){{2,20}}|(?:\.[0-9]{{1,9}}){{2,20}}(?<!\.[0-9]{{3}}))(?![0-9]))
    | (?P<phone>(?<![\d.,/-])
        (?:\+[0-9]{{1,3}}(?:[- ]?[0-9]{{2,10}}){{1,4}}|[0-9]{{1,6}}(?:-[0-9]{{1,6}}){{2,6}})(?![0-9]))
    | (?P<number>
            (?: [0-9]{{1,3}}(?:,[0-9]{{3}}){{1,60}}(?![0-9])
              | [0-9]{{1,2}}(?:,[0-9]{{2}}){{1,40}},[0-9]{{3}}(?![0-9])
            )(?:\.[0-9]+)?
          | [0-9]{{1,3}}(?:\.[0-9]{{3}}){{2,40}}(?:,[0-9]{{1,20}})?(?![0-9])   # 1.234.567,8
          | [0-9]{{1,3}}\.[0-9]{{3}},[0-9]{{1,2}}(?![0-9])
          | [0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{{1,3}}(?![A-Za-z_0-9]))?
          | (?<![\w.])\.[0-9]+
      )
    | (?P<power>[⁺⁻]?[⁰¹²³⁴-⁹]+)
    | (?P<word>{_LETTER}(?:{_LETTER}|[{_MARKS}]|['’](?={_LETTER}))*)
    | (?P<newline>\n)
    | (?P<sign>[^\s])
    """,
    re.VERBOSE,
)


class Token(NamedTuple):
    """A piece of the text; ``glued`` if nothing stands between it and the one before."""

    kind: Kind
    text: str
    begin: int
    end: int
    glued: bool


END = Token("newline", "", 0, 0, glued=False)
"""What stands beyond the last token."""


def tokenise(text: str) -> list[Token]:
    """Split the text."""
    tokens: list[Token] = []
    end = -1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind in {"iso", "dmy"}:
            kind = "date"
        begin = match.start()
        tokens.append(Token(kind, match[0], begin, match.end(), begin == end))  # type: ignore[arg-type]  # the groups' names
        end = match.end()
    return tokens
