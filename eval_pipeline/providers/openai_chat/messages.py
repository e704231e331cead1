"""What is said in a request: instructions, question and earlier turns of the Responses API as chat messages."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown

_ROLES: Final = MappingProxyType(
    {"user": "user", "assistant": "assistant", "system": "system", "developer": "system", "tool": "tool"}
)
"""Chat templates of open models know no developer."""
_FILE_FIELDS: Final = ("file_id", "file_data", "filename")


def to_messages(instructions: object, given: object) -> list[JsonDict]:
    """Return the messages of a request.

    Args:
        instructions: the system prompt, a text; None for none.
        given: the question, or turns that end with it.
    """
    if instructions is not None and not isinstance(instructions, str):
        raise invalid_config(
            f"instructions of model_body are {shown(str(instructions))}, not a text", "give the system prompt as text"
        )
    system: list[JsonDict] = [{"role": "system", "content": instructions}] if instructions else []
    if isinstance(given, str):
        return [*system, {"role": "user", "content": given}]
    if not isinstance(given, list):
        raise invalid_config(f"the input is {shown(str(given))}", "give a question, or a list of turns")
    return [*system, *(_message(turn, place) for place, turn in enumerate(given))]


def _message(turn: object, place: int) -> JsonDict:
    if not isinstance(turn, Mapping) or turn.get("type", "message") != "message":
        kind = turn.get("type") if isinstance(turn, Mapping) else turn
        raise _unknown(f"input[{place}] of type {shown(str(kind))}", "a turn has a role and content")
    role = turn.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise _unknown(f"input[{place}] with the role {shown(str(role))}", f"known: {', '.join(_ROLES)}")
    return {"role": _ROLES[role], "content": _content(turn.get("content"), f"input[{place}].content")}


def _content(content: object, place: str) -> str | list[JsonDict]:
    """Return a content: a text where it is one, for not every server reads parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise _unknown(f"{place} that is {shown(str(content))}", "give a text, or a list of parts")
    parts = [_part(part, f"{place}[{number}]") for number, part in enumerate(content)]
    if len(parts) == 1 and parts[0]["type"] == "text":
        return str(parts[0]["text"])
    return parts


def _part(part: object, place: str) -> JsonDict:
    kind = part.get("type") if isinstance(part, Mapping) else None
    translate = _PARTS.get(kind) if isinstance(kind, str) else None
    translated = translate(part) if translate is not None else None
    if translated is None:
        raise _unknown(
            f"{place} of type {shown(str(kind))}", f"known: {', '.join(_PARTS)}, with their content in place"
        )
    return translated


def _text(part: Mapping[str, Any]) -> JsonDict | None:
    text = part.get("text")
    return {"type": "text", "text": text} if isinstance(text, str) else None


def _image(part: Mapping[str, Any]) -> JsonDict | None:
    """Translate an image given by its address; those that are kept at OpenAI are known there alone."""
    url, detail = part.get("image_url"), part.get("detail")
    if not isinstance(url, str):
        return None
    return {"type": "image_url", "image_url": {"url": url} if detail is None else {"url": url, "detail": detail}}


def _file(part: Mapping[str, Any]) -> JsonDict | None:
    given = {name: part[name] for name in _FILE_FIELDS if part.get(name) is not None}
    return {"type": "file", "file": given} if given and part.get("file_url") is None else None


def _as_it_is(part: Mapping[str, Any]) -> JsonDict:
    return dict(part)


_PARTS: Final[Mapping[str, Callable[[Any], JsonDict | None]]] = MappingProxyType(
    {
        "input_text": _text,
        "output_text": _text,
        "text": _text,
        "input_image": _image,
        "input_file": _file,
        "input_audio": _as_it_is,
        "image_url": _as_it_is,
        "file": _as_it_is,
        "refusal": _as_it_is,
    }
)


def _unknown(what: str, hint: str) -> UsageError:
    return invalid_config(f"the request has {what}, which chat completions do not know", hint)
