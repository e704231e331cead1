"""Exports of Langfuse: sessions with traces, traces with observations, rows of observations, traces and scores.

Scores that people gave (source ANNOTATION) are human ratings and stay beside the session, where no judge sees them.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.importers.chat import (
    Chat,
    arguments_of,
    decoded,
    object_of,
    result_content,
    time_text,
    tools_of,
    usage_of,
)
from eval_pipeline.session_eval.sessions.importers.conversation import Step, StepKind
from eval_pipeline.session_eval.sessions.importers.openinference import messages_in
from eval_pipeline.session_eval.sessions.importers.record import Imported, Importer, NotASessionError, Piece, Record
from eval_pipeline.session_eval.sessions.importers.traces import session_of_steps
from eval_pipeline.session_eval.sessions.session import SourceFormat
from eval_pipeline.session_eval.sessions.times import read_time

_KINDS: Final = {"GENERATION": StepKind.CHAT, "TOOL": StepKind.TOOL, "AGENT": StepKind.AGENT}
_OBSERVATIONS: Final = frozenset(
    {"GENERATION", "SPAN", "EVENT", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "EMBEDDING", "GUARDRAIL"}
)
_NAMES: Final[Mapping[str, str]] = {
    "trace_id": "traceId",
    "session_id": "sessionId",
    "parent_observation_id": "parentObservationId",
    "start_time": "startTime",
    "end_time": "endTime",
    "provided_model_name": "model",
    "providedModelName": "model",
    "status_message": "statusMessage",
    "usage_details": "usageDetails",
    "cost_details": "costDetails",
    "total_cost": "totalCost",
    "calculated_total_cost": "totalCost",
    "calculatedTotalCost": "totalCost",
    "observation_id": "observationId",
    "author_user_id": "authorUserId",
    "string_value": "stringValue",
    "user_id": "userId",
    "trace_name": "traceName",
    "data_type": "dataType",
    "created_at": "createdAt",
    "tool_definitions": "toolDefinitions",
}


def recognises(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell a session, a trace, an observation or a score of an export."""
    if not isinstance(value, dict):
        return False
    row = _named(value)
    if isinstance(row.get("traces"), list) or (isinstance(row.get("trace"), dict) and "observations" in row):
        return True
    if isinstance(row.get("observations"), list) and "id" in row:
        return True
    return _is_observation(row) or _is_trace(row) or _is_score(row)


def _named(value: Json) -> JsonDict:
    """Return a row with the names of the public interface; blob exports have their own."""
    return {_NAMES.get(key, key): item for key, item in value.items()}


def _is_observation(row: Json) -> bool:
    return row.get("type") in _OBSERVATIONS and "traceId" in row


def _is_trace(row: Json) -> bool:
    return "id" in row and "timestamp" in row and bool({"sessionId", "observations", "htmlPath"} & row.keys())


def _is_score(row: Json) -> bool:
    return (
        "source" in row
        and "name" in row
        and bool({"value", "stringValue"} & row.keys())
        and (bool({"traceId", "sessionId"} & row.keys()))
    )


def take_apart(record: Record) -> Iterator[Piece]:
    """Yield the observations, traces and scores of a record."""
    if not isinstance(record.value, dict):
        raise NotASessionError("it is no object")
    row = _named(record.value)
    about = _named(record.about)
    listed = record.about.get("list")
    if listed == "traces":  # of one session's export
        row = {**row, "sessionId": row.get("sessionId") or about.get("id")}
    elif listed == "observations":  # of one trace's export
        trace = object_of(about.get("trace")) or about
        row = {
            **row,
            "traceId": row.get("traceId") or trace.get("id"),
            "sessionId": row.get("sessionId") or trace.get("sessionId"),
        }
    if record.is_rest and row.get("id") is not None and row.get("scores"):
        row = {**row, "observations": []}  # of a trace, whose observations came before
    pieces = list(_pieces(row, session=None, number=record.number))
    if not pieces and not record.is_rest:
        raise NotASessionError("it is no session, trace, observation or score of Langfuse")
    yield from pieces


def _pieces(row: JsonDict, *, session: str | None, number: int) -> Iterator[Piece]:
    if isinstance(row.get("trace"), dict):
        row = {**_named(row["trace"]), **{key: row[key] for key in ("observations", "scores") if key in row}}
    group = row.get("sessionId") or session
    if isinstance(row.get("traces"), list):
        for trace in _objects(row["traces"]):
            yield from _pieces(_named(trace), session=str(row["id"]) if row.get("id") else session, number=number)
    elif _is_observation(row):
        yield _piece(row, "observation", trace=row["traceId"], group=group, number=number)
    elif _is_score(row):
        yield _piece(row, "score", trace=row.get("traceId") or row["sessionId"], group=group, number=number)
    elif row.get("id") is not None and (_is_trace(row) or isinstance(row.get("observations"), list)):
        yield from _of_trace(row, group=group, number=number)


def _of_trace(row: JsonDict, *, group: Any, number: int) -> Iterator[Piece]:  # noqa: ANN401 - JSON
    inner = {key: item for key, item in row.items() if key not in {"observations", "scores"}}
    yield _piece(inner, "trace", trace=row["id"], group=group, number=number)
    for name in ("observations", "scores"):
        for one in map(_named, _objects(row.get(name))):
            yield _piece(one, name[:-1], trace=one.get("traceId") or row["id"], group=group, number=number)


def _objects(listed: Any) -> list[JsonDict]:  # noqa: ANN401 - JSON
    """Return the objects of a list; some exports name observations by their ids alone."""
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _piece(row: JsonDict, kind: str, *, trace: Any, group: Any, number: int) -> Piece:  # noqa: ANN401 - JSON
    order = time_text(row.get("startTime") or row.get("timestamp")) or ""
    return Piece(
        trace=str(trace),
        group=None if group in (None, "") else str(group),
        order=order,
        value={"kind": kind, **row},
        number=number,
    )


def put_together(group: str, pieces: Sequence[Piece]) -> Imported:
    """Make a session of all that belongs to it."""
    chat = Chat()
    rows: dict[str, list[JsonDict]] = {"observation": [], "trace": [], "score": []}
    for piece in pieces:
        rows[piece.value["kind"]].append(piece.value)
    unique = {str(row.get("id")): row for row in rows["observation"]}
    steps = [_step(row, chat) for row in unique.values()]
    steps += _steps_of_traces(rows["trace"], steps, unique, chat)
    ratings = [_rating(score) for score in rows["score"] if score.get("source") == "ANNOTATION"]
    scores = [_rating(score) for score in rows["score"] if score.get("source") != "ANNOTATION"]
    if rows["score"] and not steps:
        raise NotASessionError(f"there are scores of session {group!r}, and no trace of it")
    told = [*rows["trace"], *rows["observation"]]
    users = sorted({str(row["userId"]) for row in told if row.get("userId")})
    names = [row.get("name") for row in rows["trace"]] or [row.get("traceName") for row in rows["observation"]]
    name = next((str(name) for name in names if name), None)
    metadata: JsonDict = {
        **({"human_ratings": ratings} if ratings else {}),
        **({"scores": scores} if scores else {}),
        **({"users": users} if users else {}),
    }
    return session_of_steps(
        group,
        steps,
        pieces=pieces,
        chat=chat,
        tools=_tools(unique.values()),
        source=SourceFormat.LANGFUSE,
        about={**({"name": name} if name else {}), "metadata": metadata},
    )


def _tools(rows: Any) -> list[JsonDict]:  # noqa: ANN401 - values of rows
    found: list[JsonDict] = []
    for row in rows:
        offered = decoded(row.get("toolDefinitions"))
        given = decoded(row.get("input"))
        if isinstance(given, dict) and isinstance(given.get("tools"), list):
            offered = given["tools"]
        if isinstance(offered, dict):
            offered = [
                {"name": name, **(one if isinstance(one := decoded(item), dict) else {})}
                for name, item in offered.items()
            ]
        found += [tool for tool in tools_of(offered) if tool not in found]
    return found


def _step(row: JsonDict, chat: Chat) -> Step:
    kind = _KINDS.get(str(row.get("type")), StepKind.OTHER)
    failed = row.get("level") == "ERROR"
    common: dict[str, Any] = {
        "id": str(row.get("id")),
        "parent": row.get("parentObservationId"),
        "started": _moment(row.get("startTime")),
        "ended": _moment(row.get("endTime")),
        "error": (str(row.get("statusMessage") or "") or "error") if failed else None,
    }
    if kind is StepKind.TOOL:
        given = decoded(row.get("input"))
        inner = given if isinstance(given, dict) else {}
        call_id = next((inner[k] for k in ("tool_call_id", "call_id", "id") if isinstance(inner.get(k), str)), None)
        known = {"name", "args", "arguments", "id", "type", "tool_call_id", "call_id"}
        is_wrapped = call_id is not None and inner.keys() <= known
        arguments = inner.get("args", inner.get("arguments")) if is_wrapped else row.get("input")
        return Step(
            kind=kind,
            name=str(row.get("name") or "") or None,
            call_id=call_id if is_wrapped else None,
            arguments=arguments_of(arguments),
            result=result_content(_result(row.get("output"))),
            **common,
        )
    heard, said = Chat(notes=chat.notes), Chat(notes=chat.notes)
    speaks = kind is StepKind.CHAT or (kind is StepKind.AGENT or not row.get("parentObservationId"))
    if speaks:
        heard.add_all(messages_in(row.get("input"), role="user"))
        said.add_all(messages_in(row.get("output"), role="assistant"))
    return Step(
        kind=kind,
        name=str(row.get("name") or "") or None,
        heard=heard.messages,
        said=said.messages,
        model=None if row.get("model") is None else str(row["model"]),
        usage=_usage(row),
        **common,
    )


def _moment(value: Any) -> datetime | None:  # noqa: ANN401 - JSON
    text = time_text(value)
    return None if text is None else read_time(text)


def _result(output: Any) -> Any:  # noqa: ANN401 - JSON
    """Return what a tool answered out of the message that some integrations make of it."""
    found = decoded(output)
    if isinstance(found, dict) and "content" in found and found.keys() & {"role", "type", "tool_call_id"}:
        return found["content"]
    return output


def _usage(row: Json) -> JsonDict | None:
    usage = usage_of(decoded(row.get("usageDetails"))) or usage_of(decoded(row.get("usage")))
    costs = decoded(row.get("costDetails"))
    total = row.get("totalCost")
    cost = total if isinstance(total, int | float) else costs.get("total") if isinstance(costs, dict) else None
    return {**(usage or {}), "cost_usd": float(cost)} if isinstance(cost, int | float) and cost else usage


def _steps_of_traces(
    traces: Sequence[JsonDict], steps: Sequence[Step], observations: Mapping[str, JsonDict], chat: Chat
) -> list[Step]:
    """Let a trace speak with its own input and output where none of its observations does."""
    spoken = {
        observations[step.id]["traceId"]
        for step in steps
        if (step.heard or step.said) and "traceId" in observations[step.id]
    }
    found = []
    for trace in traces:
        if trace.get("id") in spoken or not (trace.get("input") or trace.get("output")):
            continue
        heard, said = Chat(notes=chat.notes), Chat(notes=chat.notes)
        heard.add_all(messages_in(trace.get("input"), role="user"))
        said.add_all(messages_in(trace.get("output"), role="assistant"))
        began = _moment(trace.get("timestamp"))
        found.append(
            Step(
                id=f"trace {trace['id']}",
                parent=None,
                kind=StepKind.CHAT,
                started=began,
                ended=began,
                heard=heard.messages,
                said=said.messages,
            )
        )
    return found


def _rating(score: Json) -> JsonDict:
    value = score.get("stringValue") if score.get("dataType") == "CATEGORICAL" else score.get("value")
    return {
        key: item
        for key, item in {
            "name": score.get("name"),
            "value": value,
            "comment": score.get("comment"),
            "author": score.get("authorUserId"),
            "created_at": time_text(score.get("timestamp") or score.get("createdAt")),
            "trace_id": score.get("traceId"),
            "observation_id": score.get("observationId"),
            "source": score.get("source"),
        }.items()
        if item is not None
    }


LANGFUSE = Importer(
    format=SourceFormat.LANGFUSE, recognises=recognises, take_apart=take_apart, put_together=put_together
)
