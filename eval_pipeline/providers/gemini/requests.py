"""Requests of ``generateContent``, from the model body of a run: live and in batches the same.

Of the body, ``model`` goes into the address, ``input`` becomes the last turns (what the system says in it stands in the
system instruction), ``instructions`` the system instruction; ``temperature``, ``top_p``, ``max_output_tokens`` and the
schema of ``text.format`` go where Gemini has them. All else is a field of Gemini's request and passes through:
``generationConfig``, ``safetySettings``, ``tools``, ``contents`` (turns before the question).
"""

from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.turns import Role, Turn, turns_of

_SHORT: Final = {"temperature": "temperature", "top_p": "topP", "max_output_tokens": "maxOutputTokens"}
_OURS: Final = frozenset(
    {"model", "input", "instructions", "contents", "generationConfig", "generation_config", "text", *_SHORT}
)


def request_of(body: Json) -> JsonDict:
    """Return the request for one question."""
    turns = turns_of(body.get("input", ""))
    fields = fixed_fields(body)
    said = [_part(turn) for turn in turns if turn.role is Role.SYSTEM]
    if said:
        instructed = fields.get("systemInstruction") or {}
        fields |= {"systemInstruction": {**instructed, "parts": [*instructed.get("parts", ()), *said]}}
    contents = [{"parts": [_part(turn)], "role": _ROLES[turn.role]} for turn in turns if turn.role in _ROLES]
    return {"contents": [*earlier_turns(body), *contents], **fields}


_ROLES: Final = {Role.USER: "user", Role.ASSISTANT: "model"}


def _part(turn: Turn) -> JsonDict:
    return {"text": turn.text}


def earlier_turns(body: Json) -> list[Any]:
    """Return the turns that stand before every question."""
    turns = body.get("contents")
    return list(turns) if isinstance(turns, list) else []


def fixed_fields(body: Json) -> JsonDict:
    """Return everything that is the same for every question."""
    fields = {name: value for name, value in body.items() if name not in _OURS}
    if instructions := body.get("instructions"):
        fields["systemInstruction"] = {"parts": [{"text": instructions}]}
    given = body.get("generationConfig") or body.get("generation_config") or {}
    config = {long: body[short] for short, long in _SHORT.items() if body.get(short) is not None}
    config |= _form_of(body) | dict(given)
    return fields | {"generationConfig": config} if config else fields


def _form_of(body: Json) -> JsonDict:
    """Return what the answer is to look like: a JSON object, by the schema where there is one."""
    match body.get("text"):
        case {"format": {"type": "json_schema", "schema": schema}}:
            return {"responseMimeType": "application/json", "responseJsonSchema": schema}
        case {"format": {"type": "json_object"}}:
            return {"responseMimeType": "application/json"}
        case _:
            return {}
