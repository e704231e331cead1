"""Untrusted text made fit to be looked at: nothing hidden in it, and nothing that turns the page around it.

Escaping for HTML or Markdown comes after this and lies in ``markup`` and ``markdown``.
"""

import re
import unicodedata

FOLD_AFTER_CHARACTERS = 600
FOLD_AFTER_LINES = 14
_PREVIEW_CHARACTERS = 420
_PREVIEW_LINES = 8
_WORD_SEARCH_CHARACTERS = 40
_SCRIPT_SAMPLE_CHARACTERS = 400

# Controls but tab and line feed; bidi embeddings, overrides and isolates (U+202A-202E, U+2066-206F); the byte order
# mark; tag characters, which hide whole sentences; surrogates and noncharacters, which UTF-8 cannot carry. The joiners
# and marks that Indic and Arabic scripts need (U+200C-200F, U+061C) stay.
_DISTURBING = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)
_CONTROL_PICTURES = 0x2400
_SPACE = 0x20
_DELETE = 0x7F

_SCRIPTS = (
    ("und-Hebr", 0x0590, 0x05FF),
    ("und-Arab", 0x0600, 0x077F),
    ("und-Deva", 0x0900, 0x097F),
    ("und-Beng", 0x0980, 0x09FF),
    ("und-Guru", 0x0A00, 0x0A7F),
    ("und-Gujr", 0x0A80, 0x0AFF),
    ("und-Orya", 0x0B00, 0x0B7F),
    ("und-Taml", 0x0B80, 0x0BFF),
    ("und-Telu", 0x0C00, 0x0C7F),
    ("und-Knda", 0x0C80, 0x0CFF),
    ("und-Mlym", 0x0D00, 0x0D7F),
    ("und-Sinh", 0x0D80, 0x0DFF),
    ("und-Thai", 0x0E00, 0x0E7F),
)
_URDU_LETTERS = frozenset("ٹڈڑںےہھ")


def visible(text: str) -> str:
    """Give every control and bidi override a visible sign; line ends of all kinds become line feeds.

    >>> visible("a\u202eb")
    'a⟦U+202E⟧b'
    """
    return _DISTURBING.sub(_sign, text.replace("\r\n", "\n"))


def _sign(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] in "\r\u2028\u2029":
        return "\n"
    if code < _SPACE:
        return chr(_CONTROL_PICTURES + code)
    if code == _DELETE:
        return "\u2421"
    return f"⟦U+{code:04X}⟧"


def one_line(text: str, *, limit: int) -> str:
    """Make the text visible on one line, cut behind ``limit`` characters."""
    joined = " ".join(visible(text[: 4 * limit]).split())
    return joined if len(joined) <= limit else joined[: _boundary(joined, limit)].rstrip() + " …"


def clip(text: str, *, limit: int) -> str:
    """Keep at most ``limit`` characters and say how many there were; bounds what a report can weigh."""
    if len(text) <= limit:
        return text
    return (
        f"{text[: _boundary(text, limit)]}\n… [cut here: {len(text):,} characters in all; an export has the whole text]"
    )


def is_long(text: str) -> bool:
    """Tell whether the text is folded at first."""
    return len(text) > FOLD_AFTER_CHARACTERS or text.count("\n") >= FOLD_AFTER_LINES


def preview(text: str) -> str:
    """Return the beginning of a long text, cut between words where there are words."""
    lines = "\n".join(text.split("\n", _PREVIEW_LINES)[:_PREVIEW_LINES])
    if len(lines) <= _PREVIEW_CHARACTERS:
        return lines.rstrip() + " …"
    return lines[: _boundary(lines, _PREVIEW_CHARACTERS)].rstrip() + " …"


def _boundary(text: str, limit: int) -> int:
    """Find where to cut: at a space close before the limit, else not inside a cluster of marks and joiners."""
    space = max(text.rfind(" ", 0, limit), text.rfind("\n", 0, limit))
    if space > limit - min(_WORD_SEARCH_CHARACTERS, limit // 3):
        return space
    end = limit
    while 0 < end < len(text) and (unicodedata.category(text[end])[0] == "M" or "\u200d" in text[end - 1 : end + 1]):
        end -= 1
    return end or limit


def script_tag(text: str) -> str | None:
    """Return a language tag for text that is not in Latin script, so that fonts and screen readers choose well.

    Only the script is known, hence ``und-…``; Urdu is told by its letters, because it wants other letter forms.

    >>> script_tag("नमस्ते दुनिया")
    'und-Deva'
    """
    sample = text[:_SCRIPT_SAMPLE_CHARACTERS]
    if sample.isascii():
        return None
    counts = {tag: sum(low <= ord(letter) <= high for letter in sample) for tag, low, high in _SCRIPTS}
    tag = max(counts, key=lambda name: counts[name])
    if counts[tag] == 0:
        return None
    return "ur" if tag == "und-Arab" and not _URDU_LETTERS.isdisjoint(sample) else tag
