"""Requests of ``POST /v1/messages``, from the model body of a run: live and in batches the same.

The body is written as for OpenAI's Responses: ``instructions`` become ``system``, ``input`` the last turns (what the
system says in it stands in ``system``), ``max_output_tokens`` becomes ``max_tokens``, ``stop`` ``stop_sequences``;
``text.format`` and ``reasoning.effort`` become ``output_config``. What only OpenAI has is refused before a run is
launched. All else is a field of Anthropic's request and passes through: ``thinking``, ``tools``, ``cache_control``,
``messages`` (turns before the question).
"""

from collections.abc import Mapping
from typing import Any, Final

from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.turns import Role, turns_of

DEFAULT_MAX_TOKENS: Final = 4_096
"""The API wants a limit; a body that names none gets this one, which every current model takes."""
_TRANSLATED: Final = frozenset(
    {"input", "instructions", "system", "messages", "max_output_tokens", "max_tokens", "stop", "stop_sequences"}
    | {"text", "response_format", "reasoning", "output_config", "user"}
)
_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
_NO_COUNTERPART: Final = {
    "background": "answers are read at once",
    "conversation": "name earlier turns in 'messages'",
    "frequency_penalty": "leave it out",
    "include": "leave it out",
    "logit_bias": "leave it out",
    "logprobs": "leave it out",
    "max_completion_tokens": "call it max_output_tokens",
    "max_tool_calls": "give the tool a limit of its own, such as max_uses",
    "n": "set repeats instead",
    "parallel_tool_calls": "give tool_choice with disable_parallel_tool_use",
    "presence_penalty": "leave it out",
    "previous_response_id": "name earlier turns in 'messages'",
    "prompt": "write the instructions out",
    "prompt_cache_key": "give cache_control",
    "prompt_cache_retention": "give cache_control with a ttl",
    "safety_identifier": "give metadata with user_id",
    "seed": "leave it out: Claude has none",
    "store": "leave it out: nothing is stored for later calls",
    "top_logprobs": "leave it out",
    "truncation": "leave it out",
}
"""Fields of OpenAI's requests that this API has nothing for, and what to do."""

_TOOLS_OF_OPENAI: Final = frozenset(
    {"code_interpreter", "computer_use_preview", "file_search", "function", "image_generation", "local_shell", "mcp"}
    | {"web_search", "web_search_preview"}
)
_TOOL_REMEDY: Final = "give it as Anthropic has it: with input_schema, or a tool of the server as web_search_20250305"


def check_body(body: Json) -> None:
    """Raise ``invalid_config``, with the field's name, for a frozen body that Claude cannot be asked with."""
    for name, remedy in _NO_COUNTERPART.items():
        if body.get(name) is not None:
            raise _untranslatable(name, f"Anthropic's Messages have no such field; {remedy}")
    for tool in body.get("tools") or []:
        if isinstance(tool, Mapping) and tool.get("type") in _TOOLS_OF_OPENAI:
            raise _untranslatable("tools", f"a tool has OpenAI's type {tool['type']!r}; {_TOOL_REMEDY}")
    request = request_of({**body, "input": ""})
    budget = _part(request, "thinking").get("budget_tokens")
    if isinstance(budget, int) and budget >= request["max_tokens"]:
        raise invalid_config(
            f"model_body has a thinking budget of {budget:,} tokens, and {request['max_tokens']:,} for all output",
            "raise max_output_tokens above thinking.budget_tokens: thinking counts as output",
        )


def request_of(body: Json) -> JsonDict:
    """Return the request for one question."""
    turns = turns_of(body.get("input", ""))
    said = "\n\n".join(turn.text for turn in turns if turn.role is Role.SYSTEM)
    messages = [turn.to_json() for turn in turns if turn.role is not Role.SYSTEM]
    return {**fixed_fields(body, said=said), "messages": [*earlier_turns(body), *messages]}


def earlier_turns(body: Json) -> list[Any]:
    """Return the turns that stand before every question."""
    turns = body.get("messages")
    return list(turns) if isinstance(turns, list) else []


def fixed_fields(body: Json, *, said: str = "") -> JsonDict:
    """Return everything that is the same for every question.

    Args:
        body: the model body of a run.
        said: what one question says as the system, behind the instructions.
    """
    fields = {name: value for name, value in body.items() if name not in _TRANSLATED}
    if system := _system(body, said):
        fields["system"] = system
    if stop := body.get("stop_sequences") or body.get("stop"):
        fields["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if (user := body.get("user")) is not None:
        fields["metadata"] = {"user_id": user, **_part(body, "metadata")}
    if output := _output_config(body):
        fields["output_config"] = output
    return {**fields, "max_tokens": _limit(body)}


def _limit(body: Json) -> int:
    limit = body.get("max_output_tokens")
    if limit is None:
        limit = body.get("max_tokens")
    if limit is None:
        return DEFAULT_MAX_TOKENS
    if type(limit) is not int or limit < 1:
        raise invalid_config(f"max_output_tokens is {limit!r}, not a number of tokens", "give a whole number above 0")
    return limit


def _system(body: Json, said: str) -> Any:  # noqa: ANN401 - a text, or blocks as the API has them
    given, instructions = body.get("system"), body.get("instructions")
    if given and instructions:
        raise invalid_config("model_body has 'system' beside instructions", "say it in one of both")
    system = given or instructions
    if not said:
        return system
    if isinstance(system, list):
        return [*system, {"type": "text", "text": said}]
    return "\n\n".join(filter(None, (system, said)))


def _output_config(body: Json) -> JsonDict:
    """Return form and effort of the answer: what the body says in Anthropic's words wins."""
    given, reasoning = _part(body, "output_config"), _part(body, "reasoning")
    config = dict(given)
    if (form := _format(body)) and "format" not in config:
        config["format"] = form
    if unknown := sorted(reasoning.keys() - {"effort"}):
        raise _untranslatable(f"reasoning.{unknown[0]}", "give Anthropic's 'thinking' instead")
    effort = reasoning.get("effort")
    if effort is not None and effort not in _EFFORTS:
        raise _untranslatable("reasoning.effort", f"{effort!r} is none of {', '.join(_EFFORTS)}")
    return {"effort": effort, **config} if effort else config


def _format(body: Json) -> JsonDict | None:
    """Return the schema that the answer is to follow, from either of OpenAI's spellings."""
    text = _part(body, "text")
    if unknown := sorted(text.keys() - {"format"}):
        raise _untranslatable(f"text.{unknown[0]}", "leave it out")
    wanted = _part(text, "format") or _part(body, "response_format")
    schema = wanted.get("schema") or _part(wanted, "json_schema").get("schema")
    match wanted.get("type"):
        case None | "text":
            return None
        case "json_schema" if isinstance(schema, Mapping):
            return {"type": "json_schema", "schema": schema}
        case "json_schema":
            raise _untranslatable("text.format", "it names no schema")
    raise _untranslatable("text.format", f"{wanted['type']!r} has no counterpart; give a json_schema")


def _part(body: Json, name: str) -> Json:
    value = body.get(name)
    return value if isinstance(value, Mapping) else {}


def _untranslatable(name: str, why: str) -> UsageError:
    return invalid_config(f"model_body has {name!r}, which Claude cannot be asked: {why}", f"change or remove {name!r}")
