"""Results of tau-bench: the trajectory of a task, its verified reward, and back again.

What the task was, and what would have solved it, stays in the metadata, which no judge sees.
"""

import json
from collections.abc import Iterator
from typing import Any

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.checking import SCHEMA
from eval_pipeline.session_eval.sessions.importers.chat import Chat
from eval_pipeline.session_eval.sessions.importers.record import Imported, Importer, NotASessionError, Record
from eval_pipeline.session_eval.sessions.session import SourceFormat

_KEPT = "tau_bench"


def recognises(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell a result by its trajectory and its task."""
    return isinstance(value, dict) and isinstance(value.get("traj"), list) and "task_id" in value


def read(record: Record) -> Iterator[Imported]:
    """Read one result."""
    value = record.value
    if not isinstance(value, dict) or not isinstance(value.get("traj"), list):
        raise NotASessionError("it has no trajectory (traj)")
    chat = Chat()
    chat.add_all(value["traj"])
    task, trial, reward = value.get("task_id"), value.get("trial", 0), value.get("reward")
    verified = isinstance(reward, int | float) and not isinstance(reward, bool)
    kept = {key: item for key, item in value.items() if key != "traj"}
    session: JsonDict = {
        "schema": SCHEMA,
        "session_id": f"{record.origin or _KEPT}-{task}-{trial}",
        "source": {"format": str(SourceFormat.TAU_BENCH), "id": f"{task}/{trial}"},
        "messages": chat.finish(),
        **({"outcome": {"reward": reward, "success": reward == 1, "source": _KEPT}} if verified else {}),
        "metadata": {_KEPT: kept, **({"unmapped": chat.unmapped} if chat.unmapped else {})},
    }
    yield Imported(session, record.number, tuple(chat.notes))


def write(session: Json) -> JsonDict:
    """Return the result that a session was read from, else one that says as much."""
    metadata = session.get("metadata") or {}
    unmapped = metadata.get("unmapped") or {}
    kept = metadata.get(_KEPT) or {
        "task_id": session["session_id"],
        "reward": (session.get("outcome") or {}).get("reward"),
    }
    traj = [{**_message(message), **unmapped.get(str(index), {})} for index, message in enumerate(session["messages"])]
    return {**kept, "traj": traj}


def _message(message: Json) -> JsonDict:
    written: JsonDict = {"role": message["role"], "content": message.get("content")}
    written |= {key: message[key] for key in ("name", "tool_call_id", "error") if message.get(key) is not None}
    if message.get("reasoning") is not None:
        written["reasoning_content"] = message["reasoning"]
    if message.get("tool_calls"):
        written["tool_calls"] = [_call(call) for call in message["tool_calls"]]
    return written


def _call(call: Json) -> JsonDict:
    given = call["arguments"]
    arguments = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": arguments}}


TAU_BENCH = Importer(format=SourceFormat.TAU_BENCH, recognises=recognises, read=read)
