"""Token counts as OpenAI and compatible servers report them, read leniently."""

from collections.abc import Mapping
from typing import Any

from eval_pipeline.core.outcomes import Usage


def read_usage(usage: object) -> Usage | None:
    """Return the tokens, or None when the provider reported none."""
    if not isinstance(usage, Mapping):
        return None
    given_input = _count(usage, "input_tokens", "prompt_tokens")
    output = _count(usage, "output_tokens", "completion_tokens")
    total = _count(usage, "total_tokens")
    if not (given_input or output or total):  # no call uses nothing: servers that do not count report zeros
        return None
    known_output = output or 0
    known_input = max(0, (total or 0) - known_output) if given_input is None else given_input
    return Usage(
        input=known_input,
        cached_input=min(_detail(usage, "input_tokens_details", "prompt_tokens_details", "cached_tokens"), known_input),
        output=known_output,
        reasoning=min(
            _detail(usage, "output_tokens_details", "completion_tokens_details", "reasoning_tokens"), known_output
        ),
        total=known_input + known_output if total is None else total,
    )


def _detail(usage: Mapping[str, Any], name: str, other_name: str, key: str) -> int:
    details = usage.get(name) or usage.get(other_name)
    return (_count(details, key) or 0) if isinstance(details, Mapping) else 0


def _count(usage: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = usage.get(name)
        if type(value) is int and value >= 0:
            return value
    return None
