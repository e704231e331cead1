"""One frozen model body for both OpenAI protocols: a request of the Responses API as one of Chat Completions.

Fields that both protocols have, and those that servers have of their own (``top_k``, ``keep_alive``), pass as they are.
What has no counterpart is an error that names the key, before anything is paid.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.providers.openai_chat.messages import to_messages
from eval_pipeline.providers.openai_chat.token_limit import TokenLimit
from eval_pipeline.providers.openai_chat.tools import to_tool_choice, to_tools

_REMEDY: Final = "ask a server that speaks openai_responses"
_NO_COUNTERPART: Final = MappingProxyType(
    {
        "context_management": f"leave it out, or {_REMEDY}",
        "conversation": "put earlier turns into the dataset, as the column history",
        "include": f"leave it out, or {_REMEDY}",
        "max_tool_calls": f"leave it out, or {_REMEDY}",
        "messages": "the question of each item is the message; give the system prompt as instructions and earlier "
        "turns in the dataset, as the column history",
        "n": "leave it out; repeats of the run ask every question several times",
        "previous_response_id": "put earlier turns into the dataset, as the column history",
        "prompt": "give the text of the prompt as instructions; stored prompts are OpenAI's alone",
        "stream_options": "leave it out; answers are read whole",
        "truncation": f"leave it out, or {_REMEDY}",
    }
)
_SAYS_NOTHING: Final[Mapping[str, object]] = MappingProxyType(
    {"include": [], "truncation": "disabled", "n": 1, "background": False, "stream": False, "top_logprobs": 0}
)
"""Values that ask for what happens anyway."""
_NOTHING: Final = object()
_FORMAT_FIELDS: Final = ("name", "description", "schema", "strict")
_OWN_REASONING: Final = frozenset({"summary", "generate_summary", "encrypted_content"})
"""Of the Responses API alone; what else stands beside ``effort`` is a server's own, such as OpenRouter's."""


def check_body(body: Json) -> None:
    """Raise ``invalid_config``, with the key's name, for a frozen body that Chat Completions cannot be asked with."""
    chat_body({**body, "input": ""}, limit=TokenLimit.BOTH)


def chat_body(body: Json, *, limit: TokenLimit) -> JsonDict:
    """Return the request of Chat Completions for one of the Responses API.

    Args:
        body: the frozen model body with the question, or turns that end with it, as ``input``.
        limit: by which names the server knows ``max_output_tokens``.
    """
    asked: JsonDict = {}
    for key, value in body.items():
        if value is None or key in {"input", "instructions"} or _SAYS_NOTHING.get(key, _NOTHING) == value:
            continue
        if key in _NO_COUNTERPART:
            raise untranslatable(key, _NO_COUNTERPART[key])
        translate = _TRANSLATED.get(key)
        for name, translated in ({key: value} if translate is None else translate(value, limit)).items():
            if name in body and name != key and body[name] is not None:
                raise untranslatable(f"{key} and {name}", f"they say the same; keep {key}")
            asked[name] = translated
    if "top_logprobs" in asked:
        asked.setdefault("logprobs", True)
    asked["messages"] = to_messages(body.get("instructions"), body["input"])
    return asked


def untranslatable(key: str, hint: str) -> UsageError:
    """Build the error of a key that has no counterpart."""
    return invalid_config(f"model_body has {key}, which chat completions do not know", hint)


def _max_output_tokens(value: object, limit: TokenLimit) -> JsonDict:
    return dict.fromkeys(limit.fields, value)


def _text(value: object, _: TokenLimit) -> JsonDict:
    """Translate the form of an answer: ``text.format`` and ``text.verbosity``."""
    if not isinstance(value, Mapping):
        raise invalid_config(f"text of model_body is {shown(str(value))}, not a mapping", "give text: {format: {…}}")
    for key in value:
        if key not in {"format", "verbosity"}:
            raise untranslatable(f"text.{key}", "of text there are format and verbosity")
    wanted, verbosity = value.get("format"), value.get("verbosity")
    translated = {} if wanted is None else _response_format(wanted)
    return translated if verbosity is None else {**translated, "verbosity": verbosity}


def _response_format(wanted: Any) -> JsonDict:  # noqa: ANN401 - JSON
    match wanted:
        case {"type": "text"}:
            return {}
        case {"type": "json_object"}:
            return {"response_format": {"type": "json_object"}}
        case {"type": "json_schema", "schema": Mapping()}:
            unknown = sorted(wanted.keys() - {"type", *_FORMAT_FIELDS})
            if unknown:
                raise untranslatable(f"text.format.{unknown[0]}", f"known: {', '.join(_FORMAT_FIELDS)}")
            schema = {name: wanted[name] for name in _FORMAT_FIELDS if wanted.get(name) is not None}
            return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", **schema}}}
        case {"type": "json_schema"}:
            raise invalid_config("text.format of model_body has no schema", "give text.format.schema, a JSON Schema")
    kind = wanted.get("type") if isinstance(wanted, Mapping) else wanted
    raise untranslatable(f"text.format.type {shown(str(kind))}", "use json_schema, json_object or text")


def _reasoning(value: object, _: TokenLimit) -> JsonDict:
    """Translate ``reasoning.effort``; an object with a server's own fields passes whole."""
    if not isinstance(value, Mapping):
        raise invalid_config(
            f"reasoning of model_body is {shown(str(value))}, not a mapping", "give reasoning: {effort: low}"
        )
    given = {key: entry for key, entry in value.items() if entry is not None}
    for key in given:
        if key in _OWN_REASONING:
            raise untranslatable(f"reasoning.{key}", f"leave it out, or {_REMEDY}")
    if given.keys() <= {"effort"}:
        return {"reasoning_effort": given["effort"]} if given else {}
    return {"reasoning": given}


_TRANSLATED: Final[Mapping[str, Callable[[Any, TokenLimit], JsonDict]]] = MappingProxyType(
    {
        "max_output_tokens": _max_output_tokens,
        "reasoning": _reasoning,
        "text": _text,
        "tools": lambda value, _: {"tools": to_tools(value)},
        "tool_choice": lambda value, _: {"tool_choice": to_tool_choice(value)},
    }
)
