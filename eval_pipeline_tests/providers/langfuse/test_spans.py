"""Item traces as the spans that Langfuse reads."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from eval_pipeline.core.tracing import ItemTrace
from eval_pipeline.providers.langfuse.spans import REQUEST_BYTES, export_requests
from eval_pipeline_tests.providers.langfuse.runs import RUN, STARTED_AT, item, items


def requests(*traces: ItemTrace) -> list[tuple[int, ExportTraceServiceRequest]]:
    encoded = export_requests(RUN, traces, dataset_id="ds-1")
    return [(count, ExportTraceServiceRequest.FromString(body)) for count, body in encoded]


def spans(*traces: ItemTrace) -> list[Span]:
    scopes = [scope for _, request in requests(*traces) for scope in request.resource_spans[0].scope_spans]
    return [span for scope in scopes for span in scope.spans]


def told(span: Span) -> dict[str, Any]:
    values = {pair.key: pair.value for pair in span.attributes}
    return {key: getattr(value, str(value.WhichOneof("value"))) for key, value in values.items()}


def test_a_trace_is_a_root_span_with_a_generation_under_it() -> None:
    root, generation = spans(item(0))

    assert root.trace_id.hex() == generation.trace_id.hex() == item(0).trace_id
    assert (root.span_id.hex(), root.parent_span_id) == (item(0).span_id, b"")
    assert generation.parent_span_id == root.span_id
    assert told(root)["langfuse.observation.type"] == "span"
    assert told(generation)["langfuse.observation.type"] == "generation"


def test_the_root_span_says_question_answer_and_expected_output() -> None:
    root = told(spans(item(3))[0])

    assert root["langfuse.observation.input"] == "What is 3?"
    assert root["langfuse.observation.output"] == "It is 3."
    assert root["langfuse.experiment.item.expected_output"] == "3"
    assert root["langfuse.observation.metadata.status"] == '"ok"'
    assert root["langfuse.internal.is_app_root"] is True


def test_both_spans_say_which_experiment_and_item_they_belong_to() -> None:
    for span in spans(item(0)):
        attributes = told(span)

        assert attributes["langfuse.experiment.id"] == RUN.experiment_id
        assert attributes["langfuse.experiment.name"] == "demo"
        assert attributes["langfuse.experiment.dataset.id"] == "ds-1"
        assert attributes["langfuse.experiment.item.id"] == item(0).dataset_item_id
        assert attributes["langfuse.experiment.item.root_observation_id"] == item(0).span_id
        assert attributes["langfuse.environment"] == "sdk-experiment"


def test_the_generation_says_model_parameters_tokens_and_cost() -> None:
    generation = told(spans(item(0))[1])

    assert generation["langfuse.observation.model.name"] == "m-2026"
    assert json.loads(generation["langfuse.observation.model.parameters"]) == {"temperature": 0.5}
    assert json.loads(generation["langfuse.observation.cost_details"]) == {"total": 0.00125}


def test_token_buckets_do_not_overlap_and_add_up_to_the_total() -> None:
    usage = json.loads(told(spans(item(0))[1])["langfuse.observation.usage_details"])
    total = usage.pop("total")

    assert usage == {"input": 6, "input_cached_tokens": 4, "output": 5, "output_reasoning_tokens": 2}
    assert sum(usage.values()) == total == 17


def test_what_is_unknown_is_left_out() -> None:
    bare = replace(item(0).generation, usage=None, cost_usd=None, model=None, output=None)
    root, generation = map(told, spans(item(0, answer=None, generation=bare)))

    assert "langfuse.observation.output" not in root
    kept = {"model.name", "usage_details", "cost_details", "output"}
    assert not {f"langfuse.observation.{name}" for name in kept} & set(generation)


def test_the_span_lasts_as_long_as_the_call_did() -> None:
    root, generation = spans(item(0))
    took_ns = root.end_time_unix_nano - root.start_time_unix_nano

    assert took_ns == generation.end_time_unix_nano - generation.start_time_unix_nano == 1_500_000_000
    assert root.start_time_unix_nano == int(STARTED_AT.timestamp()) * 1_000_000_000


def test_times_are_exact_to_the_microsecond() -> None:
    root = spans(item(0, started_at=STARTED_AT + timedelta(microseconds=1), latency_s=None))[0]

    assert root.start_time_unix_nano % 1_000_000_000 == 1_000
    assert root.end_time_unix_nano == root.start_time_unix_nano


def test_a_failed_item_is_an_error_with_its_message() -> None:
    for span in spans(item(0, answer=None, problem="failed: server_error: try later")):
        assert told(span)["langfuse.observation.level"] == "ERROR"
        assert told(span)["langfuse.observation.status_message"] == "failed: server_error: try later"
        assert (span.status.code, span.status.message) == (Status.STATUS_CODE_ERROR, "failed: server_error: try later")


def test_an_item_that_is_ok_has_no_error() -> None:
    root = spans(item(0))[0]

    assert told(root)["langfuse.observation.level"] == "DEFAULT"
    assert root.status.code == Status.STATUS_CODE_UNSET


def test_requests_stay_below_the_limit_and_keep_traces_whole() -> None:
    long = [replace(one, question="x" * (REQUEST_BYTES // 5)) for one in items(5)]
    made = requests(*long)

    assert [count for count, _ in made] == [2, 2, 1]
    assert all(request.ByteSize() < 1.1 * REQUEST_BYTES for _, request in made)


def test_an_item_larger_than_a_request_goes_alone_and_uncut() -> None:
    huge = item(0, question="x" * (2 * REQUEST_BYTES))
    made = requests(huge, item(1))

    assert [count for count, _ in made] == [1, 1]
    assert told(spans(huge)[0])["langfuse.observation.input"] == huge.question


def test_no_items_make_no_request() -> None:
    assert requests() == []
