"""What code finds in a session without asking anyone: counts, tokens, cost, times.

Counted over the checked JSON, since a hundred thousand sessions are counted while they come in.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.json_text import canonical_bytes
from eval_pipeline.session_eval.sessions.session import Session, session_json
from eval_pipeline.session_eval.sessions.times import first_and_last, read_time

_SAYS_ERROR: Final = re.compile(
    r"\s*(?:error|exception|traceback)\b[^\n]{0,60}?[:!]|\s*traceback \(most", re.IGNORECASE
)
_JSON_ERROR: Final = re.compile(
    r'\s*\{[^{}\[\]]{0,200}?"(?:error|is_error|isError)"\s*:\s*+(?!null|false|""|\{\}|\[\]|0\b)'
)
_LOOKED_AT: Final = 300
_BEGINS_ERROR: Final = frozenset("eEtT")
_PLAIN_KEYS: Final = 2
"""A message with a content and so many keys has a role beside it, and nothing else to count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """What was counted; None where the session does not tell."""

    messages: int
    user_turns: int
    tool_calls: int
    distinct_tools: int
    """That were called."""
    tool_errors: int
    """Results that carry an error, or whose text says it is one."""
    repeated_calls: int
    """Calls of the same tool with the same arguments as an earlier one."""
    longest_repeat: int
    """The most identical calls in a row; 1 where none follows its like, 0 without calls."""
    subagent_calls: int
    extension_events: int
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    wall_s: float | None
    """From the first moment that the session tells to the last."""
    characters: int
    """Of the texts of all messages, without reasoning and without what tools were called with."""
    offers_tools: bool
    offers_subagents: bool

    def to_json(self) -> JsonDict:
        """Return the JSON form that ledger and stages keep."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        return cls(**value)


def facts_of(session: Session) -> SessionFacts:
    """Return what code finds in a session."""
    return count_facts(session_json(session))


def count_facts(checked: Json) -> SessionFacts:
    """Return what code finds in the checked JSON of a session."""
    kinds = {tool["name"]: tool.get("kind") for tool in checked.get("tools") or ()}
    messages: Sequence[Json] = checked["messages"]
    characters = user_turns = tool_errors = stretches = 0
    calls: list[tuple[str, bytes]] = []
    usages: list[Json] = []
    moments: list[str] = [checked[key] for key in ("created_at", "last_active") if checked.get(key)]
    speaks: str | None = None
    for message in messages:
        content = message.get("content")
        if content:
            characters += len(content) if content.__class__ is str else _characters(content)
        role = message["role"]
        agent = message.get("agent")
        if role == "user":
            user_turns += agent is None  # what a sub-agent is told is no turn of the user
        elif role == "tool" and _is_error(message):
            tool_errors += 1
        if agent is not None and agent != speaks:
            stretches += 1
        speaks = agent
        if content and len(message) <= _PLAIN_KEYS:
            continue
        if "tool_calls" in message:
            calls += [(call["name"], canonical_bytes(call["arguments"])) for call in message["tool_calls"] or ()]
        if usage := message.get("usage"):
            usages.append(usage)
        if moment := message.get("created_at"):
            moments.append(moment)
    subagents = [name for name, kind in kinds.items() if kind == "subagent"]
    return SessionFacts(
        messages=len(messages),
        user_turns=user_turns,
        tool_calls=len(calls),
        distinct_tools=len({name for name, _ in calls}),
        tool_errors=tool_errors,
        repeated_calls=len(calls) - len(set(calls)),
        longest_repeat=_longest_run(calls),
        subagent_calls=sum(kinds.get(name) == "subagent" for name, _ in calls) if subagents else stretches,
        extension_events=sum(kinds.get(name) == "extension" for name, _ in calls) if kinds else 0,
        input_tokens=_total(usages, "input_tokens"),
        output_tokens=_total(usages, "output_tokens"),
        cost_usd=_cost(usages),
        wall_s=_wall_s(moments),
        characters=characters,
        offers_tools=bool(kinds),
        offers_subagents=bool(subagents),
    )


def last_active_of(checked: Json) -> datetime | None:
    """Return when a session was last active: as it says, else the time of its last message, else of its begin."""
    if said := checked.get("last_active"):
        return read_time(said)
    times = [message["created_at"] for message in checked["messages"] if message.get("created_at")]
    told = first_and_last(times)
    if told is not None:
        return told[1]
    return read_time(checked["created_at"]) if checked.get("created_at") else None


def _characters(parts: Sequence[Json]) -> int:
    return sum(len(part.get("text", "")) for part in parts)


def _is_error(message: Json) -> bool:
    if message.get("error"):
        return True
    content: Any = message.get("content")
    if content.__class__ is not str:
        content = next((part["text"] for part in content or () if part.get("text")), "")
    head = content[:_LOOKED_AT].lstrip()
    if head[:1] in _BEGINS_ERROR:
        return _SAYS_ERROR.match(head) is not None
    return head[:1] == "{" and _JSON_ERROR.match(head) is not None


def _longest_run(calls: Sequence[tuple[str, bytes]]) -> int:
    longest = run = 0
    before: tuple[str, bytes] | None = None
    for call in calls:
        run = run + 1 if call == before else 1
        longest = max(longest, run)
        before = call
    return longest


def _total(usages: Sequence[Json], key: str) -> int | None:
    counts = [usage[key] for usage in usages if usage.get(key) is not None]
    return int(sum(counts)) if counts else None


def _cost(usages: Sequence[Json]) -> float | None:
    costs = [usage["cost_usd"] for usage in usages if isinstance(usage.get("cost_usd"), int | float)]
    return float(sum(costs)) if costs else None


def _wall_s(moments: Sequence[str]) -> float | None:
    """Return the time from the first moment to the last."""
    told = first_and_last(moments) if len(moments) > 1 else None
    return None if told is None else (told[1] - told[0]).total_seconds()
