"""A conversation before a question, and how a request holds both: the one place that every protocol reads it from.

A request is the frozen model body with the question as ``input``. Of an item without earlier turns ``input`` is the
question, a text. Of an item with earlier turns it is a list of messages as the Responses API takes them, oldest first,
``{"role": "user" | "assistant" | "system", "content": TEXT}`` (a text, or blocks of text); the last one is the user's:
the question. An adapter of another protocol reads either with ``turns_of`` and writes its own messages; an assistant's
turn is never what the model under test said, it is part of what is asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from eval_pipeline.core.documents import JsonDict


class Role(StrEnum):
    """Who speaks in a turn."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said."""

    role: Role
    text: str

    def to_json(self) -> JsonDict:
        """Return it as a message of the Responses API."""
        return {"role": str(self.role), "content": self.text}


Input = str | list[JsonDict]
"""What stands under ``input`` of a request."""


def input_of(question: str, turns: Sequence[Turn]) -> Input:
    """Return what a request asks: the question, behind its earlier turns.

    >>> input_of("And Japan?", [Turn(Role.USER, "Capital of India?"), Turn(Role.ASSISTANT, "New Delhi")])[-1]
    {'role': 'user', 'content': 'And Japan?'}
    """
    return [turn.to_json() for turn in (*turns, Turn(Role.USER, question))] if turns else question


def turns_of(given: object) -> tuple[Turn, ...]:
    """Read the ``input`` of a request, oldest turn first; the question is the last.

    >>> turns_of("Capital of India?")
    (Turn(role=<Role.USER: 'user'>, text='Capital of India?'),)
    """
    if isinstance(given, list):
        return tuple(Turn(Role(message["role"]), _text_of(message["content"])) for message in given)
    return (Turn(Role.USER, str(given)),)


def _text_of(content: str | Sequence[JsonDict]) -> str:
    """Return what a turn says; of one in several blocks of text, all of them."""
    return content if isinstance(content, str) else "\n\n".join(block["text"] for block in content)


def read_turns(stored: object) -> tuple[Turn, ...]:
    """Read turns back from the messages that ``Turn.to_json`` made of them."""
    if not isinstance(stored, Sequence) or isinstance(stored, str):
        return ()
    return tuple(Turn(Role(one["role"]), str(one["content"])) for one in stored if isinstance(one, Mapping))
