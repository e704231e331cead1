"""An answer without the thinking that open models write before it: ``<think>…</think>`` and its like.

Providers of open models leave the tags in the text. The journal keeps what came; what is stored, scored and shown is
the answer, with the thinking beside.
"""

import re
from dataclasses import dataclass, replace

from eval_pipeline.core.outcomes import ItemError, ItemRecord, ItemStatus

_END = re.compile(
    r"</(?:[a-z]+:)?think(?:ing)?\s*>|<\|end_of_thought\|>|\u25c1/think\u25b7|\[/THINK\]|<\|channel\|>final<\|message\|>",
    re.IGNORECASE,
)
"""The ends of Qwen, DeepSeek and many others, of OpenThinker, Kimi, Mistral and gpt-oss; some hold back the start."""
_START = re.compile(
    r"\s*(?:<(?:[a-z]+:)?think(?:ing)?\s*>|<\|begin_of_thought\|>|\u25c1think\u25b7|\[THINK\]|<\|channel\|>analysis<\|message\|>)",
    re.IGNORECASE,
)
_NAMED = re.compile(r"\s*<(thoughts?|reasoning|reflection)>", re.IGNORECASE)
"""Tags that are words of other markup elsewhere: thinking only where they open the text."""
_TAGS = re.compile(
    r"</?(?:[a-z]+:)?think(?:ing)?\s*>|<\|(?:begin|end)_of_(?:thought|solution)\|>|\u25c1/?think\u25b7|\[/?THINK\]|<\|channel\|>(?:analysis|final)<\|message\|>"
    r"|<\|(?:start|end|return)\|>(?:assistant)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Parted:
    """The answer, and what was thought before it; None where nothing was."""

    answer: str
    thinking: str | None = None


def part_thinking(text: str) -> Parted:
    """Part an answer from its thinking: all up to the last end tag, or all where the end tag never came.

    >>> part_thinking("<think>B? No, C.</think>Block C")
    Parted(answer='Block C', thinking='B? No, C.')
    """
    if "<" not in text and "[" not in text and "\u25c1" not in text:
        return Parted(text)
    end = _end_of_thinking(text)
    if end is not None:
        return Parted(_TAGS.sub("", text[end:]).strip(), _TAGS.sub("", text[:end]).strip())
    return Parted("", _TAGS.sub("", text).strip()) if _START.match(text) else Parted(text)


def without_thinking(record: ItemRecord) -> ItemRecord:
    """Return a record whose answer is the answer alone; one that thought and never answered is empty."""
    text = record.answer if record.answer is not None else record.partial_answer
    parted = Parted("") if text is None else part_thinking(text)
    if parted.thinking is None:
        return record
    said = [thought for thought in (record.thinking, parted.thinking) if thought]
    thinking = "\n\n".join(said) or None
    if record.answer is None:
        return replace(record, partial_answer=parted.answer or None, thinking=thinking)
    if parted.answer:
        return replace(record, answer=parted.answer, thinking=thinking)
    nothing = ItemError(
        code="empty_output", type="response_error", message="the model thought and gave no answer", transient=False
    )
    return replace(record, status=ItemStatus.EMPTY, answer=None, thinking=thinking, error=nothing)


def _end_of_thinking(text: str) -> int | None:
    """Return the place behind the last end tag."""
    ends = [match.end() for match in _END.finditer(text)]
    named = _NAMED.match(text)
    if named is not None:
        tag = f"</{named[1]}>"
        close = text.find(tag, named.end())
        ends += [close + len(tag)] if close >= 0 else []
    return max(ends, default=None)
