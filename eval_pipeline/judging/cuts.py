"""Makes material fit a judge's window, by cuts in a fixed order, which the judgement records.

Never cut: what users said, calls with their arguments' names, errors, and the last six messages.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from eval_pipeline.core.cost import estimate_tokens
from eval_pipeline.judging.material import Material, Part, Speaker

CUTS_VERSION: Final = "1"
WINDOW_SHARE: Final = 0.7
"""Of a model's window, less its output, that material may take: tokens are estimated."""
TOOL_CHARACTERS: Final = 1_500
TOOL_HEAD: Final = 1_000
TOOL_TAIL: Final = 500
ASSISTANT_CHARACTERS: Final = 600
LAST_MESSAGES: Final = 6


class Cut(StrEnum):
    """How much had to go; each includes those before it."""

    NOTHING = "full"
    TOOL_RESULTS = "tool_results"
    """To 1,500 characters: 1,000 of their head, 500 of their tail."""
    REASONING = "reasoning"
    """All of it."""
    ASSISTANT_TEXT = "assistant_text"
    """To 600 characters."""
    SEGMENTS = "segments"
    """Still too long: judged from notes on segments of whole messages."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Material that fits, and what was left out of it."""

    material: Material
    cut: Cut
    tokens_estimated: int
    messages_elided: int
    """Messages of which something was left out."""
    characters_elided: int


def token_budget(*, window_tokens: int, output_tokens: int) -> int:
    """Return how many tokens material may take."""
    return max(0, int(WINDOW_SHARE * window_tokens) - output_tokens)


def fit(material: Material, *, budget_tokens: int) -> Fitted:
    """Cut as little as the budget asks for; ``SEGMENTS`` where all cuts together are not enough."""
    parts: Sequence[Part] = material.parts
    last = {part.message for part in parts[-_parts_of_last(parts) :]}
    for cut, shorten in _STEPS:
        shortened = [part if part.message in last else shorten(part) for part in parts]
        parts = [part for part in shortened if part is not None]
        tokens = _tokens(parts)
        if tokens <= budget_tokens:
            return _fitted(material, parts, cut=cut, tokens=tokens)
    return _fitted(material, parts, cut=Cut.SEGMENTS, tokens=tokens)


def segments(material: Material, *, budget_tokens: int) -> list[Material]:
    """Split into runs of whole messages that fit; a message that is too long alone stands alone."""
    found: list[list[Part]] = [[]]
    used = 0
    for message in _by_message(material.parts):
        tokens = _tokens(message)
        if found[-1] and used + tokens > budget_tokens:
            found.append([])
            used = 0
        found[-1].extend(message)
        used += tokens
    return [replace(material, parts=parts) for parts in found if parts]


def _tool_result(part: Part) -> Part | None:
    if part.speaker is not Speaker.TOOL or len(part.text) <= TOOL_CHARACTERS:
        return part
    left_out = len(part.text) - TOOL_HEAD - TOOL_TAIL
    middle = f" […{left_out:,} characters left out…] "
    return replace(part, text=part.text[:TOOL_HEAD] + middle + part.text[-TOOL_TAIL:])


def _reasoning(part: Part) -> Part | None:
    return None if part.speaker is Speaker.REASONING else part


def _assistant_text(part: Part) -> Part | None:
    if part.speaker is not Speaker.ASSISTANT or len(part.text) <= ASSISTANT_CHARACTERS:
        return part
    left_out = len(part.text) - ASSISTANT_CHARACTERS
    return replace(part, text=f"{part.text[:ASSISTANT_CHARACTERS]} […{left_out:,} characters left out]")


_STEPS: Final[Sequence[tuple[Cut, Callable[[Part], Part | None]]]] = (
    (Cut.NOTHING, lambda part: part),
    (Cut.TOOL_RESULTS, _tool_result),
    (Cut.REASONING, _reasoning),
    (Cut.ASSISTANT_TEXT, _assistant_text),
)


def _fitted(material: Material, parts: Sequence[Part], *, cut: Cut, tokens: int) -> Fitted:
    before, after = _characters(material.parts), _characters(parts)
    return Fitted(
        material=replace(material, parts=parts),
        cut=cut,
        tokens_estimated=tokens,
        messages_elided=sum(after.get(message) != characters for message, characters in before.items()),
        characters_elided=max(0, sum(before.values()) - sum(after.values())),
    )


def _parts_of_last(parts: Sequence[Part]) -> int:
    """Return how many parts the last six messages have."""
    messages = list(dict.fromkeys(part.message for part in reversed(parts)))[:LAST_MESSAGES]
    return max(1, sum(part.message in messages for part in parts))


def _by_message(parts: Sequence[Part]) -> list[list[Part]]:
    found: dict[int, list[Part]] = {}
    for part in parts:
        found.setdefault(part.message, []).append(part)
    return list(found.values())


def _characters(parts: Sequence[Part]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in parts:
        found[part.message] = found.get(part.message, 0) + len(part.text)
    return found


def part_tokens(part: Part) -> int:
    """Estimate the tokens of a part's line."""
    return estimate_tokens(part.head + part.text) + _TOKENS_A_LINE


def _tokens(parts: Sequence[Part]) -> int:
    return sum(map(part_tokens, parts))


_TOKENS_A_LINE: Final = 12
"""Of label, nonce, speaker and quotes."""
