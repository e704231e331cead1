"""Token counts as Anthropic reports them: what a cache gave, and what was written into one, beside the input."""

from collections.abc import Mapping
from typing import Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import MOST_TOKENS, PLAINLY, Served, Usage
from eval_pipeline.core.secrets import label
from eval_pipeline.providers.prices import WEB_SEARCH

_STANDARD_TIERS: Final = frozenset({"", "standard", "batch"})
_EVERYWHERE: Final = frozenset({"", "global", "not_available"})
_MOST_CHARACTERS: Final = 40
_MOST_TOOLS: Final = 1_000
_UNCHARGED: Final = "web_fetch"
"""It costs the tokens of what it fetched alone, by Anthropic's price page."""


def read_usage(usage: object) -> Usage | None:
    """Return the tokens, or None when the provider reported none."""
    if not isinstance(usage, Mapping):
        return None
    fresh, output = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    read, written = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
    by_time, details = usage.get("cache_creation"), usage.get("output_tokens_details")
    for_an_hour = _count(by_time, "ephemeral_1h_input_tokens")
    written = max(written, for_an_hour + _count(by_time, "ephemeral_5m_input_tokens"))
    given = fresh + read + written
    if not (given or output):  # no call uses nothing: servers that do not count report zeros
        return None
    return Usage(
        input=given,
        cached_input=read,
        output=output,
        reasoning=min(_count(details, "thinking_tokens"), output),
        total=given + output,
        cache_written=written,
        cache_written_1h=for_an_hour,
    )


def read_served(usage: object) -> Served:
    """Tell what a call costs beside its tokens: a tier, a place with a price of its own, tools of the server."""
    if not isinstance(usage, Mapping):
        return PLAINLY
    tier, place = _word(usage, "service_tier"), _word(usage, "inference_geo")
    special = [*([] if tier in _STANDARD_TIERS else [tier]), *([] if place in _EVERYWHERE else [f"in {place}"])]
    tools = tuple(sorted(_tools(usage.get("server_tool_use")).items()))
    return Served(" ".join(special) or None, tools) if special or tools else PLAINLY


def _tools(used: object) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, count in list(used.items())[:_MOST_TOOLS] if isinstance(used, Mapping) else []:
        tool = label(str(name).removesuffix("_requests"), most=_MOST_CHARACTERS)
        if type(count) is int and 0 < count <= MOST_TOKENS and tool != _UNCHARGED:
            counts[WEB_SEARCH if tool == "web_search" else tool] = count
    return counts


def _word(usage: Json, name: str) -> str:
    value = usage.get(name)
    return label(value, most=_MOST_CHARACTERS) if isinstance(value, str) else ""


def _count(counts: object, name: str) -> int:
    value = counts.get(name) if isinstance(counts, Mapping) else None
    return value if type(value) is int and 0 <= value <= MOST_TOKENS else 0
