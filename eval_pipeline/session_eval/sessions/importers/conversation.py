"""Puts a conversation together from the calls of models, tools and agents that a trace recorded.

Every call of a model carries the history that it was sent. Normally the last one carries all; where an application
keeps the history elsewhere, or sends a window of it, each call brings what is new. So histories are laid over each
other in the order of time: what was seen is not told again, and nothing that was said is lost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from itertools import takewhile
from typing import Any

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.session_eval.sessions.importers.chat import likeness, link_results
from eval_pipeline.session_eval.sessions.json_text import canonical_bytes
from eval_pipeline.session_eval.sessions.times import written


class StepKind(Enum):
    """What a recorded step is."""

    CHAT = "chat"
    TOOL = "tool"
    AGENT = "agent"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One span, or observation, in our words."""

    id: str
    parent: str | None
    kind: StepKind
    started: datetime | None
    ended: datetime | None = None
    name: str | None = None
    """Of the tool or the agent."""
    heard: Sequence[JsonDict] = ()
    """The messages that the model was sent."""
    said: Sequence[JsonDict] = ()
    """What it answered."""
    model: str | None = None
    usage: JsonDict | None = None
    call_id: str | None = None
    arguments: Any = None
    result: str | list[JsonDict] | None = None
    error: str | None = None


@dataclass(slots=True)
class _Seen:
    """A message, and when it was first seen."""

    message: JsonDict
    key: bytes
    at: datetime | None


@dataclass(slots=True)
class _Voice:
    """What one agent heard and said."""

    began: datetime | None = None
    seen: list[_Seen] = field(default_factory=list)


def conversation_of(steps: Iterable[Step]) -> list[JsonDict]:
    """Return the messages of a session; those of sub-agents name them and stand where they were called."""
    ordered = sorted(steps, key=lambda step: (step.started is None, (step.started and step.started.timestamp()) or 0.0))
    by_id = {step.id: step for step in ordered}
    voices: dict[str | None, _Voice] = {None: _Voice()}
    for step in ordered:
        if step.kind is StepKind.CHAT:
            owner = _sub_agent(step, by_id)
            voice = voices.setdefault(owner, _Voice(began=step.started))
            _hear(voice, step)
    for step in ordered:
        if step.kind is StepKind.TOOL:
            _answer(voices.setdefault(_sub_agent(step, by_id), _Voice(began=step.started)), step)
    main = voices.pop(None).seen
    for owner, voice in voices.items():
        agent = by_id[owner or ""].name or "sub-agent"
        block = [
            _Seen({**seen.message, "agent": seen.message.get("agent") or agent}, b"", seen.at) for seen in voice.seen
        ]
        place = _place(main, voice.began)
        main[place:place] = block
    messages = [seen.message for seen in main]
    link_results(messages)
    return messages


def root_agent(steps: Iterable[Step]) -> str | None:
    """Return the name of the agent that is nobody's sub-agent."""
    by_id = {step.id: step for step in steps}
    return next(
        (s.name for s in by_id.values() if s.kind is StepKind.AGENT and s.name and _sub_agent(s, by_id) != s.id), None
    )


def _sub_agent(step: Step, by_id: Mapping[str, Step]) -> str | None:
    """Return the innermost sub-agent that a step belongs to: an agent within an agent, or within a tool."""
    found: str | None = None
    passed: set[str] = set()
    at: Step | None = step
    while at is not None and at.id not in passed:
        passed.add(at.id)
        above = by_id.get(at.parent or "")
        if at.kind is StepKind.AGENT and found is None:
            found = at.id
        elif found is not None and at.kind in {StepKind.AGENT, StepKind.TOOL}:
            return found
        at = above
    return None


def _hear(voice: _Voice, step: Step) -> None:
    heard = [(message, likeness(message)) for message in step.heard]
    leading = len(list(takewhile(lambda one: one[0].get("role") in {"system", "developer"}, heard)))
    if voice.seen:
        heard = heard[leading:]  # instructions are told once; applications write the time into them
    new = _new(voice.seen, heard)
    last_answer = max((i for i, (m, _) in enumerate(new) if m.get("role") == "assistant"), default=-1)
    for index, (message, key) in enumerate(new):
        # of a history that came whole, only what was said last was said now
        at = step.started if index > last_answer else None
        timed = at is not None and message.get("role") in {"user", "tool"}
        told = {**message, "created_at": message.get("created_at") or written(at)} if timed and at else dict(message)
        voice.seen.append(_Seen(told, key, at or _last_at(voice)))
    for message in step.said:
        key = likeness(message)
        about: JsonDict = {"model": step.model, "usage": step.usage}
        if step.ended is not None:
            about["created_at"] = written(step.ended)
        if step.started is not None and step.ended is not None:
            about["latency_ms"] = (step.ended - step.started).total_seconds() * 1_000
        told = {**{name: item for name, item in about.items() if item is not None}, **message}
        voice.seen.append(_Seen(told, key, step.ended or step.started))
    if step.error and not step.said:
        failed: JsonDict = {"role": "assistant", "content": None, "error": step.error}
        if step.ended is not None:
            failed["created_at"] = written(step.ended)
        voice.seen.append(_Seen(failed, likeness(failed), step.ended or step.started))


def _last_at(voice: _Voice) -> datetime | None:
    return voice.seen[-1].at if voice.seen else None


def _new(seen: Sequence[_Seen], heard: Sequence[tuple[JsonDict, bytes]]) -> Sequence[tuple[JsonDict, bytes]]:
    """Return what of a history is not known: behind the longest end of what was seen that it begins with."""
    have, keys = [one.key for one in seen], [key for _, key in heard]
    spoken = [
        key for one, key in zip(seen, have, strict=True) if one.message.get("role") not in {"system", "developer"}
    ]
    for known in (have, spoken):
        for length in range(min(len(known), len(keys)), 0, -1):
            if known[-length:] == keys[:length]:
                return heard[length:]
    if any(have[start : start + len(keys)] == keys for start in range(len(have) - len(keys) + 1)):
        return []
    same = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(spoken, keys, strict=False))))
    return heard[same:]


def _answer(voice: _Voice, step: Step) -> None:
    """Add what a tool's own span says: the result, if no message carries it, and what else is known of it."""
    about: JsonDict = {}
    if step.ended is not None:
        about["created_at"] = written(step.ended)
    if step.started is not None and step.ended is not None:
        about["latency_ms"] = (step.ended - step.started).total_seconds() * 1_000
    if step.error:
        about["error"] = step.error
    call, place = _call_of(voice.seen, step)
    call_id = step.call_id or (call["id"] if call else None)
    for seen in voice.seen:
        message = seen.message
        if call_id and message.get("role") == "tool" and message.get("tool_call_id") == call_id:
            seen.message = {**about, **{"name": step.name} | message} if step.name else {**about, **message}
            return
    if call is None and any(_same_result(seen.message, step) for seen in voice.seen):
        return
    told: JsonDict = {"role": "tool", "content": step.result, "tool_call_id": call_id, "name": step.name, **about}
    message = {name: item for name, item in told.items() if item is not None or name == "content"}
    if place is None:
        place = _place(voice.seen, step.ended or step.started)
    voice.seen.insert(place, _Seen(message, likeness(message), step.ended or step.started))


def _call_of(seen: Sequence[_Seen], step: Step) -> tuple[JsonDict | None, int | None]:
    """Return the call that a tool's span carried out, and the place behind it and the results that it has."""
    answered = {one.message.get("tool_call_id") for one in seen if one.message.get("role") == "tool"}
    arguments = canonical_bytes(step.arguments)
    calls = [
        (call, place)
        for place, one in enumerate(seen)
        for call in one.message.get("tool_calls") or ()
        if call["id"] == step.call_id
        or (step.call_id is None and call["name"] == step.name and (not call["id"] or call["id"] not in answered))
    ]
    if not calls:
        return None, None
    call, place = next((one for one in calls if canonical_bytes(one[0]["arguments"]) == arguments), calls[0])
    behind = place + 1
    while behind < len(seen) and seen[behind].message.get("role") == "tool":
        behind += 1
    return call, behind


def _same_result(message: JsonDict, step: Step) -> bool:
    return message.get("role") == "tool" and step.result is not None and message.get("content") == step.result


def _place(seen: Sequence[_Seen], at: datetime | None) -> int:
    """Return where something of a moment belongs: before the first message that was seen later."""
    if at is None:
        return len(seen)
    return next((place for place, one in enumerate(seen) if one.at is not None and one.at > at), len(seen))
