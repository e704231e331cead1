# ruff: noqa: RUF001 - signs of many scripts
"""Other spellings of what the lexer knows: 1_000, +/-, 5...7, 2 to the power 10, ₹(500), 8-10 am, 5 below zero."""

import re

_RESPELT: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (("_",), re.compile(r"(?<=[0-9])_(?=[0-9]{3}(?![0-9]))"), ""),
    (
        ("over",),
        re.compile(r"(?i)(?<=[0-9]{2})\sover\s(?=[0-9]{2,3}(?![0-9]))"),
        "/",
    ),  # a blood pressure of 120 over 80
    ((":",), re.compile(r"(?<=[0-9]:)([0-9]{1,3}),([0-9]{3})(?![0-9,])"), r"\1\2"),  # 1:10,000
    (("+/-",), re.compile(r"\+/-"), "±"),
    (
        ("साड", "साढ", "सव्वा", "पावणे"),
        re.compile(r"(साडे|साढे|सव्वा|पावणे)(?=(?:दोन|तीन|चार|पाच|सहा|सात|आठ|नऊ|दहा|अकरा|बारा)(?!\w))"),
        r"\1 ",
    ),
    (
        ("mwaka", "miaka", "mwezi", "miezi", "wiki", "siku", "dakika"),
        re.compile(r"(?i)\b(mwaka|miaka|mwezi|miezi|wiki|siku|dakika)\s([0-9]{1,6})(?![0-9.,:])"),
        r"\2 \1",
    ),
    ((" point ", "दशमलव"), re.compile(r"(?i)(?<=[0-9])\s(?:point|दशमलव)\s(?=[0-9])"), "."),
    ((" is to ",), re.compile(r"(?<=[0-9])\sis\sto\s(?=[0-9])"), ":"),
    (("..", "…"), re.compile(r"(?<=[0-9])(?:\.{2,3}|…)(?=[0-9])"), "–"),
    (("power",), re.compile(r"(?i)(?<=[0-9])\s(?:raised\s)?to\sthe\spower\s(?:of\s)?(?=-?[0-9])"), "^"),
    (("squared",), re.compile(r"(?i)(?<=[0-9])\ssquared\b(?!\s(?:k?m|cm|met|kilo|centi|f(?:ee)?t|mile|inch))"), "^2"),
    (("cubed",), re.compile(r"(?i)(?<=[0-9])\scubed\b"), "^3"),
    (("kmph", "kph"), re.compile(r"(?i)(?<=[0-9])\s?(?:kmph|kph)\b"), " km/h"),
    (("mph",), re.compile(r"(?i)(?<=[0-9])\s?mph\b"), " miles/h"),
    (
        ("y",),
        re.compile(r"(?i)(?<![\w.])([0-9]{1,3})\s?y(?:rs?)?,?\s?([0-9]{1,2})\s?m(?:os?|ths?)?(?!\w)"),
        r"\1 years \2 months",
    ),
    (("pound",), re.compile(r"(?i)\b([0-9]{1,9})\spounds?,?\s(?:and\s)?([0-9]{2})\s?(?:pence|p)\b"), r"£\1.\2"),
    (("(",), re.compile(r"([$€£¥₹]|\bRs\.?)\s?\(([0-9][0-9,.]{0,30})\)"), r"(\1\2)"),
    (
        ("rp", "idr", "vnd", "₫"),
        re.compile(r"(?i)(?:\bRp\.?|\bIDR|\bVND|₫)\s?[0-9]{1,3}(?:\.[0-9]{3}){1,6}(?![0-9.])"),
        "dots",
    ),
    (
        ("rupiah", "₫", "đồng", "vnd", "idr"),
        re.compile(r"(?i)(?<![\w.])[0-9]{1,3}(?:\.[0-9]{3}){1,6}(?=\s?(?:rupiah|₫|đồng|vnd|idr)(?!\w))"),
        "dots",
    ),
)
"""What must be there for it to be worth a look, the spelling, and how the lexer knows it.

"dots" takes away those of thousands, where a currency has no decimals.
"""
_BELOW_ZERO = re.compile(
    r"(?i)(?<![0-9.])([0-9]+(?:\.[0-9]+)?)(\s?(?:°\s?[CF]?|℃|℉|degrees?(?:\s(?:celsius|fahrenheit|centigrade))?)?)"
    r"\sbelow\s(?:zero|freezing|0)\b"
)
_BELOW_ZERO_HINDI = re.compile(r"शून्य से ([0-9]+(?:\.[0-9]+)?)(\s?(?:°\s?C?|डिग्री(?: सेल्सियस)?)?)\s(?:नीचे|कम)")
_TRAILING_MINUS = re.compile(r"\A\s*([$€£¥₹]?\s?[0-9][0-9,.]{0,40})\s?-\s*\Z")
_HOURS_OF_ONE_HALF = re.compile(
    r"(?i)(?<![\w:.])(1[0-2]|[1-9])((?:[:.][0-5][0-9])?)\s?(?:-|–|—|to|till|until)\s?"
    r"(1[0-2]|[1-9])((?:[:.][0-5][0-9])?)\s?([ap])\.?\s?m\b"
)


def respelt(text: str) -> str:
    """Write other spellings as the lexer knows them."""
    lower = text.lower()
    for signs, pattern, spelling in _RESPELT:
        if not any(sign in lower for sign in signs):
            continue
        if spelling == "dots":
            text = pattern.sub(lambda match: match[0].replace(".", "").replace("Rp", "Rp "), text)
        else:
            text = pattern.sub(spelling, text)
    if "below" in lower or "शून्य से" in lower:
        text = _BELOW_ZERO_HINDI.sub(r"-\1\2", _BELOW_ZERO.sub(r"-\1\2", text))
    if "am" in lower or "pm" in lower or ".m" in lower:
        text = _HOURS_OF_ONE_HALF.sub(_both_hours, text)
    return _TRAILING_MINUS.sub(r"-\1", text)


def _both_hours(match: re.Match[str]) -> str:
    """Write 8-10 am as 8 am to 10 am, and 11-2 pm as 11 am to 2 pm."""
    first, first_minutes, last, last_minutes, letter = match.groups()
    half = f"{letter.lower()}m"
    other = {"am": "pm", "pm": "am"}[half]
    crosses = int(first) % 12 > int(last) % 12
    return f"{first}{first_minutes} {other if crosses else half} to {last}{last_minutes} {half}"
