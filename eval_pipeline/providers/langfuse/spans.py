"""Item traces as OTLP spans with Langfuse's attributes, as the SDK's ``run_experiment`` writes them.

An experiment has no record of its own since SDK 5: it is what spans say in their ``langfuse.experiment.*`` attributes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import langfuse
from langfuse import LangfuseOtelSpanAttributes as Key
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.tracing import ItemTrace, TraceRun

ENVIRONMENT = "sdk-experiment"
"""Where the SDK files experiments, apart from production traces."""
SCOPE = "langfuse-sdk"
"""The instrumentation scope by which the server knows that attributes are encoded as its SDK does."""
REQUEST_BYTES = 3_000_000
"""Before compression; the server warns from 16 MiB on."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ERROR = "ERROR"
_DEFAULT = "DEFAULT"
_Attributes = dict[str, str | bool | None]


def export_requests(run: TraceRun, items: Iterable[ItemTrace], *, dataset_id: str) -> Iterator[tuple[int, bytes]]:
    """Yield OTLP requests of bounded size, each with the number of whole traces it carries."""
    spans: list[Span] = []
    size_bytes = 0
    for item in items:
        pair = _item_spans(run, item, dataset_id=dataset_id)
        pair_bytes = sum(span.ByteSize() for span in pair)
        if spans and size_bytes + pair_bytes > REQUEST_BYTES:
            yield len(spans) // 2, _request(spans)
            spans, size_bytes = [], 0
        spans.extend(pair)
        size_bytes += pair_bytes
    if spans:
        yield len(spans) // 2, _request(spans)


def _request(spans: list[Span]) -> bytes:
    scope = InstrumentationScope(name=SCOPE, version=langfuse.__version__)
    resource = Resource(attributes=_encoded({"service.name": "eval-pipeline"}))
    scoped = ScopeSpans(scope=scope, spans=spans)
    request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=resource, scope_spans=[scoped])])
    return bytes(request.SerializeToString())


def _item_spans(run: TraceRun, item: ItemTrace, *, dataset_id: str) -> tuple[Span, Span]:
    membership = _membership(run, item, dataset_id=dataset_id)
    root = _span(item, item.span_id, name="text-evaluation-item", attributes={**membership, **_root(run, item)})
    generation = _span(
        item, item.generation.span_id, name="response", attributes={**membership, **_generation(run, item)}
    )
    generation.parent_span_id = bytes.fromhex(item.span_id)
    return root, generation


def _span(item: ItemTrace, span_id: str, *, name: str, attributes: _Attributes) -> Span:
    end = item.started_at + timedelta(seconds=item.latency_s or 0.0)
    failed = Status(code=Status.STATUS_CODE_ERROR, message=item.problem or "")
    return Span(
        trace_id=bytes.fromhex(item.trace_id),
        span_id=bytes.fromhex(span_id),
        name=name,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=_nanoseconds(item.started_at),
        end_time_unix_nano=_nanoseconds(end),
        attributes=_encoded(attributes),
        status=failed if item.problem else None,
    )


def _membership(run: TraceRun, item: ItemTrace, *, dataset_id: str) -> _Attributes:
    """Return what every span of the item carries, so that the server finds it in the experiment."""
    return {
        Key.ENVIRONMENT: ENVIRONMENT,
        Key.TRACE_NAME: run.name,
        Key.EXPERIMENT_ID: run.experiment_id,
        Key.EXPERIMENT_NAME: run.name,
        Key.EXPERIMENT_DATASET_ID: dataset_id,
        Key.EXPERIMENT_ITEM_ID: item.dataset_item_id,
        Key.EXPERIMENT_ITEM_ROOT_OBSERVATION_ID: item.span_id,
        Key.OBSERVATION_INPUT: item.question,
        Key.OBSERVATION_LEVEL: _ERROR if item.problem else _DEFAULT,
        Key.OBSERVATION_STATUS_MESSAGE: item.problem,
    }


def _root(run: TraceRun, item: ItemTrace) -> _Attributes:
    return {
        Key.OBSERVATION_TYPE: "span",
        Key.IS_APP_ROOT: True,
        Key.OBSERVATION_OUTPUT: item.answer,
        Key.EXPERIMENT_METADATA: _json(run.metadata),
        Key.EXPERIMENT_ITEM_EXPECTED_OUTPUT: item.golden_answer,
        Key.EXPERIMENT_ITEM_METADATA: _json(item.dataset_metadata),
        **{f"{Key.OBSERVATION_METADATA}.{name}": _json(value) for name, value in item.metadata.items()},
    }


def _generation(run: TraceRun, item: ItemTrace) -> _Attributes:
    generation = item.generation
    cost = generation.cost_usd
    return {
        Key.OBSERVATION_TYPE: "generation",
        Key.OBSERVATION_OUTPUT: generation.output,
        Key.OBSERVATION_MODEL: generation.model,
        Key.OBSERVATION_MODEL_PARAMETERS: _json(run.model_parameters) if run.model_parameters else None,
        Key.OBSERVATION_USAGE_DETAILS: None if generation.usage is None else _json(_usage_details(generation.usage)),
        Key.OBSERVATION_COST_DETAILS: None if cost is None else _json({"total": float(cost)}),
    }


def _usage_details(usage: Usage) -> dict[str, int]:
    """Split tokens into Langfuse's buckets, which do not overlap: cached leave input, reasoning leaves output."""
    return {
        "input": usage.input - usage.cached_input,
        "input_cached_tokens": usage.cached_input,
        "output": usage.output - usage.reasoning,
        "output_reasoning_tokens": usage.reasoning,
        "total": usage.total,
    }


def _encoded(attributes: Mapping[str, str | bool | None]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any_value(value)) for key, value in attributes.items() if value is not None]


def _any_value(value: str | bool) -> AnyValue:
    return AnyValue(bool_value=value) if isinstance(value, bool) else AnyValue(string_value=value)


def _json(value: Any) -> str:  # noqa: ANN401 - a JSON boundary
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _nanoseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000
