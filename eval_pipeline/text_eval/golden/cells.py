"""Cells that hold more than a text: lists of answers, conversations, passages, numbers; as JSON, or JSON in a cell."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isfinite
from typing import Final

from eval_pipeline.core.names import shown
from eval_pipeline.core.passages import Passage, score_in
from eval_pipeline.core.turns import Role, Turn
from eval_pipeline.intake.json_lines import NumberText, as_text, kind_of, read_json_cell
from eval_pipeline.text_eval.golden.row_problem import RowProblem

MOST_ID_CHARACTERS: Final = 512
_ROLES: Final = {"user": Role.USER, "assistant": Role.ASSISTANT, "system": Role.SYSTEM, "developer": Role.SYSTEM}
_TEXT_NAMES: Final = ("text", "content", "page_content", "passage")
_FILE_NAMES: Final = ("file", "filename", "file_name", "source", "title", "document", "url", "uri")
_DECIMAL_COMMA: Final = re.compile(r"\d+,\d+")


def text_of(value: object, name: str) -> str:
    """Return a text or number as it is written; null is an empty text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    raise RowProblem(f"{name} is {kind_of(value)}, not text")


def id_of(value: object) -> str | None:
    """Return an id character for character, None where there is none."""
    text = text_of(value, "id")
    if len(text) > MOST_ID_CHARACTERS:
        raise RowProblem(f"its id has {len(text):,} characters; at most {MOST_ID_CHARACTERS} are allowed")
    return text if text.strip() else None


def list_in(value: object, name: str, *, example: str) -> list[object]:
    """Return the list that a cell holds, empty where the cell is."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    found = _parsed(value, name, example=example) if isinstance(value, str) else value
    if not isinstance(found, list):
        raise RowProblem(f"{name} is {kind_of(found)}, not a list: write {example}")
    return found


def _parsed(text: str, name: str, *, example: str) -> object:
    if isinstance(text, NumberText):
        return text
    try:
        return read_json_cell(text)
    except ValueError as error:
        raise RowProblem(f"{name} is no JSON list ({error}): write {example}") from None


def alternatives_in(value: object) -> tuple[str, ...]:
    """Return the answers that are accepted alike, each once.

    >>> alternatives_in('["18", "eighteen", "18"]')
    ('18', 'eighteen')
    """
    answers = list_in(value, "answers", example='["18", "eighteen"]')
    for place, answer in enumerate(answers, start=1):
        if not isinstance(answer, str):
            raise RowProblem(f"answer {place} in answers is {kind_of(answer)}, not text")
        if not answer.strip():
            raise RowProblem(f"answer {place} in answers is blank")
    return tuple(dict.fromkeys(map(str, answers)))


def turns_in(value: object, name: str) -> tuple[Turn, ...]:
    """Return the turns of a conversation, oldest first."""
    example = '[{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]'
    turns = [_turn(one, number, name) for number, one in enumerate(list_in(value, name, example=example), start=1)]
    roles = [turn.role for turn in turns]
    for number, (role, following) in enumerate(pairwise(roles), start=2):
        if following is Role.SYSTEM and role is not Role.SYSTEM:
            raise RowProblem(f"turn {number} of {name} is the system's, which may only begin a conversation")
    return tuple(turns)


def _turn(one: object, number: int, name: str) -> Turn:
    where = f"turn {number} of {name}"
    if not isinstance(one, Mapping):
        raise RowProblem(f'{where} is {kind_of(one)}, not an object: write {{"role": "user", "content": "…"}}')
    role = one.get("role")
    known = _ROLES.get(role) if isinstance(role, str) else None
    if known is None:
        said = "no role" if role is None else f"the role {shown(as_text(role))}"
        raise RowProblem(f"{where} has {said}: it is user, assistant or system")
    text = _said(one.get("content"), where)
    if not text.strip():
        raise RowProblem(f"{where} is blank")
    return Turn(known, text)


def _said(content: object, where: str) -> str:
    """Return the text of a turn, which may come in parts."""
    if isinstance(content, str):
        return str(content)
    if not isinstance(content, list):
        raise RowProblem(f"{where} has {kind_of(content)} as its content, not text")
    texts = [part.get("text") if isinstance(part, Mapping) else part for part in content]
    if not all(isinstance(text, str) for text in texts):
        raise RowProblem(f"{where} holds more than text, which cannot be asked")
    return "".join(map(str, texts))


def question_behind(turns: Sequence[Turn], question: str, name: str) -> tuple[str, tuple[Turn, ...]]:
    """Part a conversation into the question and what was said before it.

    The user's last turn is the question, where no column has it; a column that repeats it is no second question.
    """
    last = turns[-1] if turns else None
    if question.strip():
        if last is None or last.role is not Role.USER:
            return question, tuple(turns)
        if last.text.strip() == question.strip():
            return question, tuple(turns[:-1])
        raise RowProblem(f"{name} ends with a turn of the user that is not the question: leave one of the two out")
    if last is None:
        raise RowProblem("blank question")
    if last.role is not Role.USER:
        raise RowProblem(f"{name} ends with the {last.role}: its last turn must be the user's, which is the question")
    return last.text, tuple(turns[:-1])


def passages_in(value: object, name: str) -> tuple[Passage, ...] | None:
    """Return passages: of a JSON list of texts or objects, or of a plain text, which is one; None for an empty cell."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and not value.lstrip().startswith("["):
        return (Passage(str(value)),)
    example = '["…"] or [{"file": "guide.pdf", "text": "…", "score": 0.8}]'
    return tuple(
        _passage(one, number, name) for number, one in enumerate(list_in(value, name, example=example), start=1)
    )


def _passage(one: object, number: int, name: str) -> Passage:
    if isinstance(one, str):
        return Passage(str(one))
    text = _first(one, _TEXT_NAMES) if isinstance(one, Mapping) else None
    if not isinstance(one, Mapping) or text is None:
        raise RowProblem(f'passage {number} of {name} is {kind_of(one)} without text: write "…" or {{"text": "…"}}')
    return Passage(text, _first(one, _FILE_NAMES), _score(one.get("score")))


def _first(fields: Mapping[str, object], names: Sequence[str]) -> str | None:
    found = (fields.get(name) for name in names)
    return next((str(text) for text in found if isinstance(text, str) and text), None)


def _score(value: object) -> float | None:
    try:
        return score_in(float(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def number_in(value: object, name: str) -> float | None:
    """Return a number that is not negative, also with a decimal comma; None for an empty cell."""
    text = text_of(value, name).strip()
    if not text:
        return None
    try:
        number = float(text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text)
    except ValueError:
        raise RowProblem(f"{name} is {shown(text)}, not a number") from None
    if not isfinite(number) or number < 0:
        raise RowProblem(f"{name} is {shown(text)}; it cannot be less than 0, or without end")
    return number


def count_in(value: object, name: str, *, most: int) -> int | None:
    """Return a whole number; None for an empty cell."""
    number = number_in(value, name)
    if number is None:
        return None
    if not number.is_integer() or number > most:
        raise RowProblem(f"{name} is {shown(text_of(value, name).strip())}, not a whole number up to {most:,}")
    return int(number)
