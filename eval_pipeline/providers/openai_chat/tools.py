"""Functions that a model may call, as Chat Completions describe them; tools that OpenAI hosts exist there alone."""

from collections.abc import Mapping
from typing import Any, Final

from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown

_CALLED: Final = ("function", "custom")


def to_tools(tools: object) -> list[JsonDict]:
    """Return the tools of a request."""
    if not isinstance(tools, list):
        raise invalid_config(f"tools of model_body is {shown(str(tools))}, not a list", "give a list of functions")
    return [_tool(tool, f"tools[{place}]") for place, tool in enumerate(tools)]


def _tool(tool: object, place: str) -> JsonDict:
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    if not isinstance(tool, Mapping) or kind not in _CALLED:
        raise _hosted(f"{place} of type {shown(str(kind))}")
    return _nested(tool, str(kind))


def to_tool_choice(choice: Any) -> object:  # noqa: ANN401 - JSON
    """Return which tool a model must call, if it must."""
    match choice:
        case str():
            return choice
        case {"type": "function" | "custom" as kind}:
            return _nested(choice, kind)
        case {"type": "allowed_tools", "allowed_tools": Mapping()}:
            return dict(choice)
        case {"type": "allowed_tools", "tools": list(tools), **rest}:
            rest.pop("type", None)
            allowed = [_allowed(tool, f"tool_choice.tools[{place}]") for place, tool in enumerate(tools)]
            return {"type": "allowed_tools", "allowed_tools": {**rest, "tools": allowed}}
    kind = choice.get("type") if isinstance(choice, Mapping) else choice
    raise _hosted(f"tool_choice {shown(str(kind))}")


def _allowed(tool: object, place: str) -> JsonDict:
    kind = tool.get("type") if isinstance(tool, Mapping) else None
    if not isinstance(tool, Mapping) or kind not in _CALLED:
        raise _hosted(f"{place} of type {shown(str(kind))}")
    return _nested(tool, str(kind))


def _nested(tool: Mapping[str, Any], kind: str) -> JsonDict:
    """Put a tool's fields where Chat Completions have them; one that is written so already stays as it is."""
    if isinstance(tool.get(kind), Mapping):
        return dict(tool)
    fields = {name: value for name, value in tool.items() if name != "type" and value is not None}
    return {"type": kind, kind: fields}


def _hosted(what: str) -> UsageError:
    return invalid_config(
        f"model_body has {what}, which chat completions do not know",
        "tools that OpenAI hosts work with protocol openai_responses alone; functions and custom tools pass",
    )
