"""One message of a chat completion: what is the answer, what is thinking, which functions the model wants called."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from eval_pipeline.core.documents import Json
from eval_pipeline.providers.openai.output import Output

_TEXT: Final = frozenset({"text", "output_text"})
_THINKING: Final = frozenset({"thinking", "reasoning", "reasoning_text"})


def read_message(message: Json) -> Output | None:
    """Collect what a message holds; None when its content is not readable."""
    output = Output()
    output.thoughts += _thoughts(message)
    content = message.get("content")
    if isinstance(content, str):
        output.texts.append(content)
    elif isinstance(content, list):
        if not all(_read_part(part, output) for part in content):
            return None
    elif content is not None:
        return None
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal.strip():
        output.refusals.append(refusal)
    output.called += _called(message)
    return output


def _read_part(part: object, output: Output) -> bool:
    """Add a part of a content, such as Mistral's; False when it is not readable."""
    if isinstance(part, str):
        output.texts.append(part)
        return True
    kind = part.get("type") if isinstance(part, Mapping) else None
    if not isinstance(part, Mapping) or not isinstance(kind, str):
        return False
    if kind in _TEXT:
        text = part.get("text")
        if isinstance(text, str):
            output.texts.append(text)
        return isinstance(text, str)
    if kind in _THINKING:
        output.thoughts += _texts(part.get("thinking") or part.get("text") or part.get("content"))
    elif kind == "refusal":
        words = part.get("refusal")
        output.refusals.append(words if isinstance(words, str) and words else "the model refused without a word")
    return True


def _thoughts(message: Json) -> list[str]:
    """Return what stands in the fields of thinking, once: some servers send it under two names."""
    named = [text for name in ("reasoning_content", "reasoning") for text in _texts(message.get(name))]
    found = list(dict.fromkeys(named))
    return found or _texts(message.get("reasoning_details"))


def _texts(thought: object) -> list[str]:
    if isinstance(thought, str):
        return [thought] if thought.strip() else []
    return list(_each_text(thought)) if isinstance(thought, list) else []


def _each_text(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        text = part if isinstance(part, str) else None
        if isinstance(part, Mapping):
            text = next((part[name] for name in ("text", "summary", "thinking") if part.get(name)), None)
        if isinstance(text, str) and text.strip():
            yield text


def _called(message: Json) -> list[str]:
    """Name the functions that the model wants called."""
    calls = message.get("tool_calls")
    given = [
        *(calls if isinstance(calls, list) else []),
        *([message["function_call"]] if message.get("function_call") else []),
    ]
    return [_function_name(call) for call in given]


def _function_name(call: object) -> str:
    if not isinstance(call, Mapping):
        return "function"
    described = call.get("function") or call.get("custom") or call
    name = described.get("name") if isinstance(described, Mapping) else None
    return name if isinstance(name, str) and name else "function"
