"""Token counts as OpenAI and compatible servers report them, read leniently."""

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import MOST_TOKENS, Usage


def read_usage(usage: object) -> Usage | None:
    """Return the tokens, or None when the provider reported none."""
    if not isinstance(usage, dict):
        return None
    if (plain := _plain(usage)) is not None:
        return plain
    given_input = _count(usage, "input_tokens", "prompt_tokens")
    output = _count(usage, "output_tokens", "completion_tokens")
    total = _count(usage, "total_tokens")
    if not (given_input or output or total):  # no call uses nothing: servers that do not count report zeros
        return None
    reasoning = _detail(usage, "output_tokens_details", "completion_tokens_details", "reasoning_tokens")
    known_output = output or 0
    beside = given_input is not None and total == given_input + known_output + reasoning
    if beside:  # xAI counts them so
        known_output += reasoning
    known_input = max(0, (total or 0) - known_output) if given_input is None else given_input
    cached = _detail(usage, "input_tokens_details", "prompt_tokens_details", "cached_tokens")
    return Usage(
        input=known_input,
        cached_input=min(cached or _count(usage, "prompt_cache_hit_tokens") or 0, known_input),  # DeepSeek's name
        output=known_output,
        reasoning=min(reasoning, known_output),
        total=known_input + known_output if total is None else total,
        audio_input=min(_detail(usage, "input_token_details", "input_tokens_details", "audio_tokens"), known_input),
    )


def _plain(usage: Json) -> Usage | None:
    """Read the ordinary report of text, of positive numbers that fit each other; None for any other, read with care."""
    try:
        given, cached = usage["input_tokens"], usage["input_tokens_details"]["cached_tokens"]
        output, reasoning = usage["output_tokens"], usage["output_tokens_details"]["reasoning_tokens"]
        total = usage["total_tokens"]
    except (KeyError, TypeError):
        return None
    if not type(given) is type(cached) is type(output) is type(reasoning) is type(total) is int:
        return None
    plain = 0 <= cached <= given > 0 <= reasoning <= output and MOST_TOKENS >= total >= max(given, output)
    if not plain or (reasoning and total == given + output + reasoning):
        return None
    return Usage(given, cached, output, reasoning, total)  # by place: with names it takes twice as long


def _detail(usage: Json, name: str, other_name: str, key: str) -> int:
    details = usage.get(name) or usage.get(other_name)
    return (_count(details, key) or 0) if isinstance(details, dict) else 0


def _count(usage: Json, name: str, other_name: str | None = None) -> int | None:
    value = usage.get(name)
    if type(value) is int and 0 <= value <= MOST_TOKENS:
        return value
    return None if other_name is None else _count(usage, other_name)
