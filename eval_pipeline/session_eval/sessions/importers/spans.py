"""Spans and log records as they are written to files, in one form: OTLP's JSON, the SDKs' exporters, Phoenix' rows.

An attribute may be a value, a JSON text, or a tree; numbers of nanoseconds are texts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.importers.chat import decoded, object_of, time_text

_LEAVES: Final = frozenset(
    {
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.tool.definitions",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "llm.invocation_parameters",
        "metadata",
    }
)
"""Attributes whose value may be an object; every other object is a tree of attributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span, or one log record with its event."""

    trace: str
    id: str
    parent: str | None = None
    name: str = ""
    started: str | None = None
    ended: str | None = None
    attributes: Json = field(default_factory=dict)
    """By their full names."""
    events: Sequence[Json] = ()
    """Name, time, attributes and body of each."""
    error: str | None = None
    is_log: bool = False

    def to_json(self) -> JsonDict:
        """Return the form in which spans are kept until a session is whole."""
        return {name: getattr(self, name) for name in self.__slots__}


def is_telemetry(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell spans and log records, and documents of them."""
    if not isinstance(value, dict):
        return False
    if any(key in value for key in ("resourceSpans", "resource_spans", "resourceLogs", "scopeSpans", "scopeLogs")):
        return True
    names = any(key in value for key in ("traceId", "trace_id", "context", "context.trace_id"))
    told = "attributes" in value or any(key.startswith("attributes.") for key in value)
    return names and told


def spans_of(value: Json) -> Iterator[Span]:
    """Yield all spans of a document, or the one that a record is."""
    for resource in _some(value, "resourceSpans", "resource_spans") or _one_of(value, "scopeSpans", "scope_spans"):
        about = _attributes((resource.get("resource") or {}).get("attributes"))
        for scope in _some(resource, "scopeSpans", "scope_spans", "instrumentationLibrarySpans"):
            for span in _some(scope, "spans"):
                yield _otlp_span(span, about)
    for resource in _some(value, "resourceLogs", "resource_logs") or _one_of(value, "scopeLogs", "scope_logs"):
        about = _attributes((resource.get("resource") or {}).get("attributes"))
        for scope in _some(resource, "scopeLogs", "scope_logs"):
            for number, log in enumerate(_some(scope, "logRecords", "log_records")):
                yield _otlp_log(log, about, number=number)
    if not any(key in value for key in _DOCUMENT):
        if "body" in value and "kind" not in value and "start_time" not in value and "startTimeUnixNano" not in value:
            yield _otlp_log(value, {}, number=0)
        elif "startTimeUnixNano" in value or "start_time_unix_nano" in value:
            yield _otlp_span(value, {})
        else:
            yield _sdk_span(value)


_DOCUMENT: Final = frozenset(
    {
        "resourceSpans",
        "resource_spans",
        "scopeSpans",
        "scope_spans",
        "resourceLogs",
        "resource_logs",
        "scopeLogs",
        "scope_logs",
    }
)


def _some(value: Json, *names: str) -> Sequence[JsonDict]:
    found: Sequence[Any] = next((value[name] for name in names if isinstance(value.get(name), list)), [])
    return [entry for entry in found if isinstance(entry, dict)]


def _one_of(value: Json, *names: str) -> Sequence[Json]:
    return [value] if any(name in value for name in names) else []


def _otlp_span(span: Json, about: Json) -> Span:
    status = span.get("status") or {}
    failed = status.get("code") in (2, "2", "STATUS_CODE_ERROR", "ERROR")
    attributes = {**about, **_attributes(span.get("attributes"))}
    return Span(
        trace=_id(_first(span, "traceId", "trace_id")),
        id=_id(_first(span, "spanId", "span_id")),
        parent=_id(_first(span, "parentSpanId", "parent_span_id")) or None,
        name=str(span.get("name") or ""),
        started=time_text(_first(span, "startTimeUnixNano", "start_time_unix_nano")),
        ended=time_text(_first(span, "endTimeUnixNano", "end_time_unix_nano")),
        attributes=attributes,
        events=[
            {
                "name": event.get("name"),
                "time": time_text(_first(event, "timeUnixNano", "time_unix_nano")),
                "attributes": _attributes(event.get("attributes")),
            }
            for event in _some(span, "events")
        ],
        error=_error(status.get("message"), attributes) if failed else None,
    )


def _otlp_log(log: Json, about: Json, *, number: int) -> Span:
    attributes = _attributes(log.get("attributes"))
    moment = time_text(
        _first(log, "timeUnixNano", "time_unix_nano", "timestamp", "observedTimeUnixNano", "observed_timestamp")
    )
    span = _id(_first(log, "spanId", "span_id")) or f"log-{moment}-{number}"
    body = log.get("body")
    event = {
        "name": _first(log, "eventName", "event_name") or attributes.get("event.name"),
        "time": moment,
        "attributes": attributes,
        "body": _value(body) if isinstance(body, dict) and body.keys() <= _VALUES else decoded(body),
    }
    return Span(
        trace=_id(_first(log, "traceId", "trace_id")) or str(about.get("session.id") or ""),
        id=span,
        started=moment,
        attributes=about,
        events=[event],
        is_log=True,
    )


def _sdk_span(span: Json) -> Span:
    """Read a span as the Python SDK prints it, or as Phoenix exports it."""
    context = object_of(span.get("context"))
    found = decoded(span.get("attributes"))
    attributes: JsonDict = _flat(found) if isinstance(found, dict) else _attributes(found)
    attributes.update(
        _flat({key.removeprefix("attributes."): item for key, item in span.items() if key.startswith("attributes.")})
    )
    if isinstance(span.get("span_kind"), str) and "openinference.span.kind" not in attributes:
        attributes["openinference.span.kind"] = span["span_kind"]
    status = object_of(span.get("status"))
    code = status.get("status_code") or span.get("status_code") or span.get("statusCode")
    failed = str(code).upper().endswith("ERROR")
    told = status.get("description") or span.get("status_message") or span.get("statusMessage")
    return Span(
        trace=_id(context.get("trace_id") or _first(span, "traceId", "trace_id", "context.trace_id")),
        id=_id(context.get("span_id") or _first(span, "spanId", "span_id", "context.span_id", "id")),
        parent=_id(_first(span, "parent_id", "parentId", "parentSpanId", "parent_span_id")) or None,
        name=str(span.get("name") or ""),
        started=time_text(_first(span, "start_time", "startTime", "started_at")),
        ended=time_text(_first(span, "end_time", "endTime", "ended_at")),
        attributes=attributes,
        events=[
            {
                "name": event.get("name"),
                "time": time_text(_first(event, "timestamp", "time")),
                "attributes": _flat(event["attributes"]) if isinstance(event.get("attributes"), dict) else {},
            }
            for event in _some(span, "events")
        ],
        error=_error(told, attributes) if failed else None,
    )


def _error(message: Any, attributes: Json) -> str:  # noqa: ANN401 - JSON
    kind = attributes.get("error.type")
    words = [word for word in (kind, message) if isinstance(word, str) and word]
    return ": ".join(words) or "error"


def _first(value: Json, *names: str) -> Any:  # noqa: ANN401 - JSON
    return next((value[name] for name in names if value.get(name) is not None), None)


def _id(value: Any) -> str:  # noqa: ANN401 - JSON
    text = "" if value is None else str(value)
    return text.removeprefix("0x")


_VALUES: Final = frozenset(
    {"stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue", "bytesValue"}
    | {"string_value", "int_value", "double_value", "bool_value", "array_value", "kvlist_value", "bytes_value"}
)


def _attributes(listed: Any) -> JsonDict:  # noqa: ANN401 - JSON
    """Read attributes as OTLP lists them, key by key; a plain object is taken as it is."""
    if isinstance(listed, dict):
        return _flat(listed)
    return {
        str(entry["key"]): _value(entry.get("value"))
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and "key" in entry
    }


def _value(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value out of the object that names its type."""
    if not isinstance(value, dict) or not value:
        return None if value == {} else value
    [kind, inner] = next(iter(value.items()))
    match kind.replace("_v", "V"):
        case "intValue":
            return int(inner) if isinstance(inner, str) and inner.lstrip("-").isdigit() else inner
        case "arrayValue":
            return [_value(one) for one in (inner or {}).get("values") or []]
        case "kvlistValue":
            return {
                str(one["key"]): _value(one.get("value"))
                for one in (inner or {}).get("values") or []
                if isinstance(one, dict) and "key" in one
            }
        case "stringValue" | "doubleValue" | "boolValue" | "bytesValue":
            return inner
        case _:
            return value


def _flat(tree: Json, above: str = "") -> JsonDict:
    """Return attributes by their full names."""
    found: JsonDict = {}
    for key, item in tree.items():
        name = f"{above}.{key}" if above else str(key)
        if isinstance(item, dict) and item and name not in _LEAVES:
            found.update(_flat(item, name))
        else:
            found[name] = item
    return found


def tree_of(flat: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return what names with dots in them stand for: objects, and lists where the steps are numbers.

    >>> tree_of({"0.message.role": "user", "1.message.role": "assistant"})
    [{'message': {'role': 'user'}}, {'message': {'role': 'assistant'}}]
    """
    root: JsonDict = {}
    for name, item in flat.items():
        at = root
        *path, last = name.split(".")
        for step in path:
            inner = at.get(step)
            if not isinstance(inner, dict):
                inner = at[step] = {}
            at = inner
        at[last] = _deep(item)
    return _listed(root)


def _deep(item: Any) -> Any:  # noqa: ANN401 - JSON
    match item:
        case dict():
            return tree_of(item)
        case list():
            return [_deep(one) for one in item]
        case _:
            return item


def _listed(tree: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(tree, dict):
        return tree
    inner = {key: _listed(item) for key, item in tree.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner


def indexed(attributes: Json, prefix: str) -> list[Any]:
    """Return the list that attributes hold under a name: as it is, as a JSON text, or flattened with numbers."""
    whole = decoded(attributes.get(prefix))
    if isinstance(whole, list):
        return [_deep(one) for one in whole]
    below = {key[len(prefix) + 1 :]: item for key, item in attributes.items() if key.startswith(f"{prefix}.")}
    below = {key: item for key, item in below.items() if key.split(".", 1)[0].isdigit()}
    found = tree_of(below) if below else []
    return found if isinstance(found, list) else []
