"""What a judge is shown, and how it is written so that nothing in it can pass for something else.

Every part of a message is one line: its message's label, a nonce, what it is, and its text as a JSON string. A raw line
break cannot occur in that string, and who wrote the text did not know the nonce, so no text can forge a line.
"""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

RENDERER_VERSION: Final = "1"
_NONCE_BYTES: Final = 4


class Speaker(StrEnum):
    """Who or what a part of a message comes from."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    REASONING = "reasoning"
    """What the assistant thought aloud."""
    CALL = "call"
    """A call of a tool, with its arguments."""
    TOOL = "tool"
    """What a tool answered."""
    ERROR = "error"
    NOTES = "notes"
    """What a judge noted of messages that it is not shown again."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of one message; a message that says something and calls a tool has two."""

    message: int
    """Its message's place, from 0; the label is made of it."""
    speaker: Speaker
    text: str
    head: str = ""
    """What stands before the text and is never cut, such as a tool's name."""


@dataclass(frozen=True, slots=True)
class Material:
    """What is judged: facts that code found, then the parts of all messages in order."""

    facts: Mapping[str, str | int | float | None]
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class Rendered:
    """Material as a judge reads it."""

    text: str
    nonce: str
    stripped: int
    """Invisible characters that were left out."""


def message_label(message: int) -> str:
    """Return how a message is named in verdicts.

    >>> message_label(12)
    'M12'
    """
    return f"M{message}"


def draw_nonce() -> str:
    """Return a word that no author of the material can have known."""
    return secrets.token_hex(_NONCE_BYTES)


def render(material: Material, *, nonce: str) -> Rendered:
    """Write the material out; the same nonce gives the same bytes."""
    stripped = 0
    lines = [f"FACTS {nonce}"]
    for name, value in material.facts.items():
        lines.append(f"{name}: {json.dumps(value, ensure_ascii=False)}")
    lines.append(f"MATERIAL {nonce}: {len({part.message for part in material.parts})} messages, one part a line")
    for part in material.parts:
        seen = strip_invisible(part.head + part.text)
        stripped += seen.stripped
        text = _json_line(seen.text)
        lines.append(f"{message_label(part.message)} <{nonce}> {part.speaker} {text}")
    lines.append(f"END {nonce}")
    return Rendered(text="\n".join(lines), nonce=nonce, stripped=stripped)


@dataclass(frozen=True, slots=True)
class Seen:
    """A text without what nobody sees."""

    text: str
    stripped: int


# controls but tab and line ends; soft hyphen, zero width space and word joiner, marks and overrides of direction,
# invisible operators, the byte order mark, variation selectors' supplement and tag characters, which hide whole
# sentences; surrogates and noncharacters, which UTF-8 cannot carry
_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\ufffe\uffff"
    "\U000e0000-\U000e0fff]"
)
# the joiners that Indic and Arabic scripts and emoji need stay behind their letters, and go elsewhere
_LOOSE_JOINER = re.compile(
    "(?<![\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\ufb50-\ufdff\ufe70-\ufefc"
    "\ufe0f\u2600-\u27bf\U0001f000-\U0001faff])[\u200c\u200d]"
)


def strip_invisible(text: str) -> Seen:
    """Leave out what nobody sees; joiners that a script needs stay.

    >>> strip_invisible("a\u200b\u202eb")
    Seen(text='ab', stripped=2)
    """
    if text.isascii() and text.isprintable():
        return Seen(text, 0)
    seen, stripped = _INVISIBLE.subn("", text)
    seen, joiners = _LOOSE_JOINER.subn("", seen)
    return Seen(seen, stripped + joiners)


def _json_line(text: str) -> str:
    """Return a JSON string without any character that some reader takes for a line's end."""
    line = json.dumps(text, ensure_ascii=False)
    return line.replace("\u0085", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
