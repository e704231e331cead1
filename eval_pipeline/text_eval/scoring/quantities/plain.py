# ruff: noqa: RUF001 - signs of many scripts
"""Text as the lexer takes it: ASCII digits, LaTeX and Markdown written out, citations and addresses taken away."""

import re
import unicodedata

from eval_pipeline.text_eval.scoring.quantities.respelling import respelt

FRACTION, BOX, PI = "\ue000", "\ue001", "\ue002"
"""\\frac, \\boxed and the number pi; private code points, which no text has for anything else."""
OPEN, CLOSE = "⟦", "⟧"
"""Braces of LaTeX."""
_SPELLINGS = str.maketrans(
    {
        **dict.fromkeys("−﹣－", "-"),
        **dict.fromkeys("％٪", "%"),
        "٫": ".",
        "٬": ",",
        "⁄": "/",
        "\u00ad": None,
        "：": ":",
        "π": PI,
    }
)
_DASH_AS_MINUS = re.compile("(?<![\\w)\\]%‰°€])(?<![0-9)\\]%‰°€] )[–‒](?=[$€£¥₹]?\\.?[0-9])")
"""Behind a number it is a range."""
_SPACED_MINUS = re.compile(r"(?<![\w)\]%°])(?<![\w)\]%°] )−[ ]+(?=[$€£¥₹]?\.?[0-9])")
"""The sign is no dash: "− 7" is minus seven where nothing is before it."""
_VULGAR_FRACTION = re.compile("[¼-¾⅐-⅞]")
_DECIMALS = re.compile(r"[^\x00-\x7f]")
_NOT_ANSWER = re.compile(
    r"""<<[^<>\n]{0,200}>>                            # calculators of GSM8K
      | 【[^】\n]{0,200}】                              # citations of hosted file search
      | ^[ \t]*\[\^[^\]\n]{1,40}\]:[^\n]*              # footnotes
      | \[\^[^\]\n]{1,40}\]
      | <su[pb]>[^<\n]{0,80}</su[pb]>
      | (?:https?://|www\.)[^\s<>)\]]{1,2000}
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
_NOTES = re.compile(
    r"""
        \\(?:footnote(?:mark|text)?|cite[a-z]{0,4}\*?|ref|label)(?:\[[^\]\n]{0,80}\]){0,2}(?:\{[^}\n]{0,200}\})?
      | \$\s?\^\s?\{?[0-9]{1,3}(?:,\s?[0-9]{1,3}){0,9}\}?\s?\$     # superscripts that stand alone: footnotes
      | \^\[[^\]\n]{0,200}\]
      | [†‡][0-9]{0,2}(?![0-9])
      | (?:(?<=[^\W\d_]{3})|(?<=[^\W\d_][%.)\]"”])|(?<=[0-9][%)\]"”]))
        (?<!feet)(?<!foot)(?<!etre)(?<!eter)(?<!etres)(?<!eters)(?<!mile)(?<!miles)(?<!inch)(?<!inches)(?<!मीटर)(?<!sec)(?<!second)(?<!seconds)
        \^\(?[0-9]{1,2}(?:,\s?[0-9]{1,2}){0,9}\)?\^?(?![0-9])       # 9 months^1^, as Markdown writes footnotes
    """,
    re.VERBOSE,
)
"""Footnotes and citations of LaTeX and Markdown that stand as superscripts."""
_SIGNS_OF_NOTES = ("^", "\\", "†", "‡")
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.]{1,63}")
_EMPHASIS = re.compile(r"(?<![0-9])\*\*|\*\*(?![0-9])|__|`+")
_MATH = re.compile(r"\$\$|(?<![\w$\\])\$(?=[^\s$])([^$\n]{0,300}[^\s$\\])\$(?![0-9$])")
_GROUP_MARK = re.compile(r"(?<=[0-9])(?:[\u00a0\u2009\u202f'’]|\{,\}|,?\\[,!])(?=[0-9]{3}(?![0-9]))")
"""As Swiss, French and LaTeX write thousands."""
_SPACED_GROUPS = re.compile(
    r"(?<![\w.,/])(?<![0-9][ ])[1-9][0-9]{0,2}(?:[ ][0-9]{3}){1,20}(?![ ]?[0-9]|[/:]|-[A-Za-z])"
)
_COMMANDS = {
    **dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac"), FRACTION),
    **dict.fromkeys(("boxed", "fbox"), BOX),
    **dict.fromkeys(("le", "leq", "leqslant"), "≤"),
    **dict.fromkeys(("ge", "geq", "geqslant"), "≥"),
    **dict.fromkeys(("circ", "degree"), "°"),
    **dict.fromkeys(("lt",), "<"),
    **dict.fromkeys(("gt",), ">"),
    "sqrt": "√",
    "times": "×",
    "cdot": "·",
    "div": "÷",
    "pi": PI,
    "pm": "±",
    "approx": "≈",
}
_COMMAND = re.compile(r"\\(?:([A-Za-z]+)|(.))", re.DOTALL)
_TEXT_COMMAND = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|tt|normal)?|math(?:bf|it|rm|sf|tt|normal)|mbox|emph|operatorname|underline)\s?"
    r"\{([^{}]{0,200})\}(\^?)"
)
"""Words within mathematics, which stand there as they are."""
_LATEX = re.compile(r"\\[A-Za-z(\[%$,!;]|\^\{|\^°")
_SHORT_FRACTION = re.compile(FRACTION + r"\s?([0-9])\s?([0-9])")
_POWER_DEGREE = re.compile(rf"\^\s?(?:{OPEN}\s*)?°(?:\s*{CLOSE})?")
_WORD_POWER = re.compile(rf"\^{OPEN}\s*(?=[A-Za-z])")
_SWAP_MARKS = str.maketrans(",.", ".,")


def plain(text: str, *, decimal_comma: bool = False) -> str:
    """Write the text as the lexer takes it."""
    shown = _NOT_ANSWER.sub(" ", text)
    if any(sign in shown for sign in _SIGNS_OF_NOTES):
        shown = _NOTES.sub(" ", shown)
    if "@" in shown:
        shown = _MAIL.sub(" ", shown)
    if not shown.isascii():
        shown = _VULGAR_FRACTION.sub(lambda match: " " + unicodedata.normalize("NFKC", match[0]), shown)
        shown = _SPACED_MINUS.sub("-", _DECIMALS.sub(_ascii_digit, shown)).translate(_SPELLINGS)
        shown = _DASH_AS_MINUS.sub("-", shown)
    shown = respelt(_GROUP_MARK.sub("", shown))
    shown = _EMPHASIS.sub("", shown)
    if "$" in shown:
        shown = _MATH.sub(lambda match: f" {match[1] or ''} ", shown)
    if _LATEX.search(shown):
        shown = _without_latex(shown)
    if decimal_comma:
        shown = shown.translate(_SWAP_MARKS)
    return _SPACED_GROUPS.sub(lambda match: match[0].replace(" ", ""), shown)


def _ascii_digit(match: re.Match[str]) -> str:
    character = match[0]
    return str(unicodedata.decimal(character)) if character.isdecimal() else character


def _without_latex(text: str) -> str:
    shown = _TEXT_COMMAND.sub(lambda match: f" {match[1].strip()}{match[2] or ' '}", text)
    written = _COMMAND.sub(_command, shown).replace("{", OPEN).replace("}", CLOSE)
    written = _SHORT_FRACTION.sub(rf"{FRACTION}{OPEN}\1{CLOSE}{OPEN}\2{CLOSE}", written)
    written = _POWER_DEGREE.sub("°", written)
    return _WORD_POWER.sub(f" {OPEN}", written)


def _command(match: re.Match[str]) -> str:
    name, sign = match[1], match[2]
    if name is not None:
        return _COMMANDS.get(name, " ")
    return sign if sign in "%$#&_{}" else " "
