"""Requests of ``generateContent``, from the model body of a run: live and in batches the same.

Of the body, ``model`` goes into the address, ``input`` becomes the last turn, ``instructions`` the system instruction;
``temperature``, ``top_p`` and ``max_output_tokens`` go where Gemini has them. All else is a field of Gemini's request
and passes through: ``generationConfig``, ``safetySettings``, ``tools``, ``contents`` (turns before the question).
"""

from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict

_SHORT: Final = {"temperature": "temperature", "top_p": "topP", "max_output_tokens": "maxOutputTokens"}
_OURS: Final = frozenset(
    {"model", "input", "instructions", "contents", "generationConfig", "generation_config", *_SHORT}
)


def request_of(body: Json) -> JsonDict:
    """Return the request for one question."""
    question = {"parts": [{"text": body.get("input", "")}], "role": "user"}
    return {"contents": [*earlier_turns(body), question], **fixed_fields(body)}


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
    config = {long: body[short] for short, long in _SHORT.items() if body.get(short) is not None} | dict(given)
    return fields | {"generationConfig": config} if config else fields
