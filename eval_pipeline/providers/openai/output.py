"""The output of a response: what is the answer, what is thinking, which hosted tools were used.

Where messages carry a phase, the answer is the final one alone: commentary is what an agent says on its way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.passages import SEARCH_CALL, Passage, distinct, score_in
from eval_pipeline.core.secrets import label
from eval_pipeline.providers.words import called_instead

FINAL, COMMENTARY = "final_answer", "commentary"
_UNEXECUTED: Final = frozenset(
    {"function_call", "custom_tool_call", "local_shell_call", "shell_call", "apply_patch_call", "computer_call"}
)
_NO_FEE: Final = _UNEXECUTED | {"mcp_call", "tool_search_call"}
"""Calls that cost their tokens alone, by OpenAI's price page, or that nobody executes."""
_MOST_NAME: Final = 100
_OPENED: Final = frozenset({"open_page", "find_in_page"})
"""Actions of a web search that are no search: they are not charged."""


@dataclass(slots=True)
class Output:
    """What a response came with, in order."""

    texts: list[str] = field(default_factory=list)
    commentary: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    tools: dict[str, int] = field(default_factory=dict)
    called: list[str] = field(default_factory=list)
    """Functions that the model wants called, which nobody does here."""
    found: list[Passage] | None = None
    """What searches in files found; None where none told its results."""

    @property
    def text(self) -> str:
        """The answer."""
        return "".join(self.texts)

    @property
    def refusal(self) -> str | None:
        """Why the model refused, None if it did not."""
        return "\n".join(self.refusals) if self.refusals else None

    @property
    def thinking(self) -> str | None:
        """What was said beside the answer."""
        if not (self.thoughts or self.commentary):
            return None
        said = [text for text in (*self.thoughts, *self.commentary) if text.strip()]
        return "\n\n".join(said) if said else None

    @property
    def passages(self) -> tuple[Passage, ...] | None:
        """What searches in files found, each passage once."""
        return None if self.found is None else distinct(self.found)

    @property
    def why_empty(self) -> str:
        """Say why there is no answer."""
        if self.called:
            return called_instead(self.called)
        if self.commentary:
            return "the model gave commentary and no final answer"
        return "the model completed its answer without any text"


def read_output(items: list[Any]) -> Output | None:
    """Collect what the items hold; None when one of them is not readable."""
    output = Output()
    phased = any(isinstance(item, Mapping) and item.get("phase") == FINAL for item in items)
    for item in items:
        if not isinstance(item, Mapping):
            return None
        kind = item.get("type")
        if kind == "message":
            if not _read_message(item, output, phased=phased):
                return None
        elif kind == "reasoning":
            output.thoughts += _texts(item.get("content")) or _texts(item.get("summary"))
        elif isinstance(kind, str):
            if kind == SEARCH_CALL:
                _read_search(item, output)
            _read_call(kind, item, output)
    return output


def _read_message(item: Json, output: Output, *, phased: bool) -> bool:
    """Add a message; of several phases only the final one is the answer. False when it is not readable."""
    phase = item.get("phase")
    aside = phase != FINAL if phased else phase == COMMENTARY
    texts = output.commentary if aside else output.texts
    content = item.get("content")
    if isinstance(content, str):  # as some compatible servers write a single text
        texts.append(content)
        return True
    if not isinstance(content, list):
        return False
    return all(_read_part(part, output, texts=texts) for part in content)


def _read_part(part: object, output: Output, *, texts: list[str]) -> bool:
    match part:
        case {"type": "output_text", "text": str(text)}:
            texts.append(text)
        case {"type": "output_text"}:
            return False
        case {"type": "refusal", **rest}:
            words = rest.get("refusal")
            output.refusals.append(words if isinstance(words, str) else "")
        case {"type": "reasoning_text" | "thinking", **rest}:
            output.thoughts += [text for text in (rest.get("text"), rest.get("thinking")) if isinstance(text, str)]
    return True


def _read_call(kind: str, item: Json, output: Output) -> None:
    if kind in _UNEXECUTED:
        name = item.get("name")
        output.called.append(name if isinstance(name, str) and name else kind)
    if not kind.endswith("_call") or kind in _NO_FEE or item.get("status") == "failed":
        return
    action = item.get("action")
    opened = action.get("type") if isinstance(action, Mapping) else None
    if not (isinstance(opened, str) and opened in _OPENED):
        tool = label(kind, most=_MOST_NAME)
        output.tools[tool] = output.tools.get(tool, 0) + 1


def _read_search(item: Json, output: Output) -> None:
    """Add what a search found; one without results was not asked for them, or its server does not tell."""
    results = item.get("results")
    if not isinstance(results, list):
        return
    found = [result for result in results if isinstance(result, Mapping)]
    output.found = (output.found or []) + [
        Passage(
            text=_text_in(result, "text") or "",
            file=_text_in(result, "filename") or _text_in(result, "file_id"),
            score=score_in(result.get("score")),
        )
        for result in found
    ]


def _text_in(fields: Json, name: str) -> str | None:
    text = fields.get(name)
    return text if isinstance(text, str) and text else None


def _texts(parts: object) -> list[str]:
    return list(_each_text(parts)) if isinstance(parts, list) else []


def _each_text(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        text = part.get("text") if isinstance(part, Mapping) else part
        if isinstance(text, str) and text:
            yield text
