"""Trajectories in the Agent Trajectory Interchange Format: steps are messages, observations are results of tools.

A result that refers to a sub-agent names it; the steps of sub-agents that the file holds stand behind that call.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.checking import SCHEMA
from eval_pipeline.session_eval.sessions.importers.chat import Chat, as_text, error_text, object_of, tools_of, usage_of
from eval_pipeline.session_eval.sessions.importers.record import Imported, Importer, NotASessionError, Record
from eval_pipeline.session_eval.sessions.session import SourceFormat

_SOURCES: Final = {"agent": "assistant", "user": "user", "system": "system"}
_MOST_NESTED: Final = 16


def recognises(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell a trajectory by its schema version, else by its steps and its agent."""
    if not isinstance(value, dict) or not isinstance(value.get("steps"), list):
        return False
    return str(value.get("schema_version", "")).upper().startswith("ATIF") or isinstance(value.get("agent"), dict)


def read(record: Record) -> Iterator[Imported]:
    """Read one trajectory."""
    value = record.value
    if not isinstance(value, dict) or not isinstance(value.get("steps"), list):
        raise NotASessionError("it has no steps")
    agent = object_of(value.get("agent"))
    chat = Chat()
    _Steps(chat, value).add()
    metrics = value.get("final_metrics") or {}
    rest = {
        key: value[key] for key in ("notes", "extra", "final_metrics", "continued_trajectory_ref") if value.get(key)
    }
    called = {name for message in chat.messages for name in message.pop("_subagent_calls", ())}
    tools = _tools(agent, called)
    messages = chat.finish()
    _tell_totals(messages, metrics)
    own = value.get("session_id") or value.get("trajectory_id")
    session: JsonDict = {
        "schema": SCHEMA,
        "session_id": str(own or f"{record.origin or 'trajectory'}-{record.number}"),
        **({"profile_id": str(agent["name"])} if agent.get("name") else {}),
        "source": {
            "format": str(SourceFormat.ATIF),
            **({"id": str(value["trajectory_id"])} if value.get("trajectory_id") else {}),
            "schema_version": value.get("schema_version"),
        },
        **({"tools": tools} if tools else {}),
        "messages": messages,
        "metadata": {
            "agent": {key: item for key, item in agent.items() if key != "tool_definitions"},
            **rest,
            **({"unmapped": chat.unmapped} if chat.unmapped else {}),
        },
    }
    yield Imported(session, record.number, tuple(chat.notes))


def _tools(agent: Json, called: set[str]) -> list[JsonDict]:
    """Return the tools; those whose results refer to a sub-agent's trajectory hand work to one."""
    offered = tools_of(agent.get("tool_definitions"))
    for tool in offered:
        if tool["name"] in called:
            tool["kind"] = "subagent"
    known = {tool["name"] for tool in offered}
    return [*offered, *({"name": name, "kind": "subagent"} for name in sorted(called - known))]


class _Steps:
    """Adds the steps of a trajectory, and of the sub-agents that it holds, to a chat."""

    def __init__(self, chat: Chat, trajectory: Json, *, agent: str | None = None, depth: int = 0) -> None:
        self._chat = chat
        self._trajectory = trajectory
        self._agent = agent
        self._depth = depth
        held = trajectory.get("subagent_trajectories") or []
        self._held = {
            str(inner[key]): inner
            for inner in held
            if isinstance(inner, dict)
            for key in ("session_id", "trajectory_id")
            if inner.get(key)
        }

    def add(self) -> None:
        for step in self._trajectory["steps"]:
            if not isinstance(step, dict):
                self._chat.messages.append({"role": None, "content": as_text(step)})
            elif not step.get("is_copied_context"):
                self._add_step(step)

    def _add_step(self, step: JsonDict) -> None:
        source = step.get("source")
        calls = [
            {"id": call.get("tool_call_id"), "name": call.get("function_name"), "arguments": call.get("arguments")}
            for call in step.get("tool_calls") or []
            if isinstance(call, dict)
        ]
        metrics = object_of(step.get("metrics"))
        content = step.get("message")
        message = {
            "role": _SOURCES.get(str(source), source),
            "content": [_part(part) for part in content] if isinstance(content, list) else content,
            "reasoning_content": step.get("reasoning_content"),
            "tool_calls": calls,
            "created_at": step.get("timestamp"),
            "model": step.get("model_name"),
            "usage": usage_of(metrics),
            "agent": self._agent,
            "extra": step.get("extra"),
        }
        results = [one for one in (step.get("observation") or {}).get("results") or [] if isinstance(one, dict)]
        if message["content"] or calls or step.get("reasoning_content") or not results:
            self._chat.add(message)
        for result in results:
            self._add_result(result, step, names={str(call["id"]): call["name"] for call in calls})

    def _add_result(self, result: JsonDict, step: Json, *, names: dict[str, Any]) -> None:
        references: Sequence[Any] = result.get("subagent_trajectory_ref") or []
        references = [references] if isinstance(references, dict) else references
        name = names.get(str(result.get("source_call_id")))
        for reference in references:
            self._add_sub_agent(reference)
        content = result.get("content")
        told = [_part(part) for part in content] if isinstance(content, list) else content
        if told is None and references:
            told = "sub-agent: " + ", ".join(_named(reference) for reference in references)
        is_answer = result.get("source_call_id") is not None or step.get("source") == "agent"
        self._chat.add(
            {
                "role": "tool" if is_answer else _SOURCES.get(str(step.get("source")), "system"),
                "content": told if told is None or isinstance(told, str | list) else as_text(told),
                "tool_call_id": result.get("source_call_id"),
                "name": name,
                "created_at": step.get("timestamp"),
                "agent": self._agent,
                "error": error_text(result.get("error")),
                "extra": result.get("extra"),
                "subagent_trajectory_ref": references or None,
            }
        )
        if references and name:
            self._chat.messages[-1].setdefault("_subagent_calls", []).append(name)

    def _add_sub_agent(self, reference: Any) -> None:  # noqa: ANN401 - JSON
        if not isinstance(reference, dict) or self._depth >= _MOST_NESTED:
            return
        inner = next(
            (
                self._held[str(reference[k])]
                for k in ("trajectory_id", "session_id")
                if str(reference.get(k)) in self._held
            ),
            None,
        )
        if inner is None or not isinstance(inner.get("steps"), list):
            return
        agent = (inner.get("agent") or {}).get("name") or "sub-agent"
        _Steps(self._chat, inner, agent=str(agent), depth=self._depth + 1).add()


def _named(reference: Any) -> str:  # noqa: ANN401 - JSON
    if not isinstance(reference, dict):
        return as_text(reference)
    names = ("trajectory_path", "session_id", "trajectory_id")
    return str(next((reference[name] for name in names if reference.get(name)), "unknown"))


def _part(part: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a part of a content with a picture's source as an address."""
    if isinstance(part, dict) and isinstance(part.get("source"), dict) and part["source"].get("path"):
        source = part["source"]
        return {"type": str(part.get("type") or "image"), "url": source["path"], "mime_type": source.get("media_type")}
    return part


def _tell_totals(messages: Sequence[JsonDict], metrics: Any) -> None:  # noqa: ANN401 - JSON
    """Say of the last answer what the whole trajectory took, where no step says what it took."""
    if not isinstance(metrics, dict) or any(message.get("usage") for message in messages):
        return
    names = {
        "total_prompt_tokens": "input_tokens",
        "total_completion_tokens": "output_tokens",
        "total_cost_usd": "cost_usd",
    }
    totals = {ours: metrics[theirs] for theirs, ours in names.items() if metrics.get(theirs) is not None}
    answers = [message for message in messages if message.get("role") == "assistant"]
    if totals and answers:
        answers[-1]["usage"] = {**totals, "of": "the whole trajectory"}


ATIF = Importer(format=SourceFormat.ATIF, recognises=recognises, read=read)
