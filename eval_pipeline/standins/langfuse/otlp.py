"""Spans out of an OTLP/HTTP protobuf request, as plain JSON values."""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from eval_pipeline.standins.documents import JsonDict


class OtlpError(ValueError):
    """A body that is no OTLP trace export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span as it was sent; ids are lower-case hex."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    start_time_unix_nano: int
    end_time_unix_nano: int
    attributes: JsonDict
    status: JsonDict


def read_spans(body: bytes, *, encoding: str) -> list[Span]:
    """Decode a request body that may be compressed."""
    try:
        request = ExportTraceServiceRequest.FromString(_unpack(body, encoding))
    except (DecodeError, OSError, zlib.error) as error:
        raise OtlpError(f"The body is no OTLP trace export: {error}.") from error
    return [_span(span) for span in _spans(request)]


def _unpack(body: bytes, encoding: str) -> bytes:
    match encoding:
        case "" | "identity" | "none":
            return body
        case "gzip":
            return gzip.decompress(body)
        case "deflate":
            return zlib.decompress(body)
    raise OtlpError(f"Content-Encoding {encoding!r} is unknown. Known: gzip, deflate, identity.")


def _spans(request: ExportTraceServiceRequest) -> Iterator[WireSpan]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def _span(span: WireSpan) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex() or None,
        name=span.name,
        start_time_unix_nano=span.start_time_unix_nano,
        end_time_unix_nano=span.end_time_unix_nano,
        attributes=_attributes(list(span.attributes)),
        status={"code": int(span.status.code), "message": span.status.message},
    )


def _attributes(pairs: list[KeyValue]) -> JsonDict:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:  # noqa: ANN401  an attribute is any JSON value
    kind = value.WhichOneof("value")
    match kind:
        case None:
            return None
        case "array_value":
            return [_value(entry) for entry in value.array_value.values]
        case "kvlist_value":
            return _attributes(list(value.kvlist_value.values))
        case "bytes_value":
            return value.bytes_value.hex()
    return getattr(value, kind)
