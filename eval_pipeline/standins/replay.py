"""What the stand-in answers: a recording of this question by this model, else a text made of the question.

Recordings are JSON lines ``{"question": …, "answers": {model: text}}``; questions are compared in
Unicode normal form C with runs of white space as one blank.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from pathlib import Path

import orjson

WORDS_ECHOED = 40


class RecordingError(ValueError):
    """A recordings file that cannot be read as such."""


class Recordings:
    """Recorded answers by model and question."""

    def __init__(self, answers: Mapping[tuple[str, str], str]) -> None:
        self._answers = {(model, _same(question)): text for (model, question), text in answers.items()}

    @property
    def models(self) -> list[str]:
        """The models that have recordings."""
        return sorted({model for model, _ in self._answers})

    def answer(self, model: str, question: str) -> str:
        """Return the recorded answer, or a made-up one that is the same at every call."""
        recorded = self._answers.get((model, _same(question))) if self._answers else None
        return made_up_answer(model, question) if recorded is None else recorded


def read_recordings(path: Path) -> Recordings:
    """Read a file of recordings."""
    with path.open("rb") as lines:
        return Recordings(dict(_read_lines(path, lines)))


def _read_lines(path: Path, lines: Iterable[bytes]) -> Iterable[tuple[tuple[str, str], str]]:
    for number, line in enumerate(lines, start=1):
        try:
            entry = orjson.loads(line)
            yield from (((model, entry["question"]), text) for model, text in entry["answers"].items())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            reason = f"{path}, line {number} is no recording: {error!r}."
            raise RecordingError(f'{reason} Expected {{"question": …, "answers": {{model: text}}}}.') from error


def made_up_answer(model: str, question: str) -> str:
    """Return a text with the first words of the question and a number from 0 to 999 that depends on both."""
    digest = blake2b(f"{model}\0{question}".encode(), digest_size=8).digest()
    words = " ".join(question.split()[:WORDS_ECHOED])
    return f"You asked: {words}\nThe answer is {int.from_bytes(digest) % 1000}."


def _same(question: str) -> str:
    return " ".join(unicodedata.normalize("NFC", question).split())
