"""What the Langfuse SDK sends arrives, once, and what Langfuse would refuse is refused."""

import gzip
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from langfuse import Langfuse
from langfuse.api import CreateScoreRequest, DatasetItem, Error, NotFoundError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider

from eval_pipeline.standins.langfuse.app import LangfuseOptions, create_app
from eval_pipeline.standins.server import serve

SCORE = {"id": "s1", "traceId": "t1", "name": "accuracy", "value": 0.5, "timestamp": "2026-01-01T00:00:00Z"}


@pytest.fixture(scope="session")
def langfuse_sdk(langfuse_client: httpx.Client) -> Iterator[Langfuse]:
    client = Langfuse(
        public_key="pk-test",
        secret_key="sk-test",
        base_url=str(langfuse_client.base_url),
        tracer_provider=TracerProvider(),
        timeout=5,
    )
    yield client
    client.shutdown()


@pytest.fixture
def sdk(langfuse_api: httpx.Client, langfuse_sdk: Langfuse) -> Langfuse:
    """Langfuse's own client of the same stand-in."""
    del langfuse_api
    return langfuse_sdk


def state(api: httpx.Client) -> dict[str, Any]:
    document: dict[str, Any] = api.get("/__standin__/state").json()
    return document


def test_datasets_are_upserted_by_name_and_items_by_id(langfuse_api: httpx.Client, sdk: Langfuse) -> None:
    ids = {sdk.create_dataset(name="गणित/one", description=text).id for text in ("old", "new")}
    for answer in ("A", "B"):
        sdk.create_dataset_item(dataset_name="गणित/one", id="i1", input={"q": "?"}, expected_output=answer)

    held = state(langfuse_api)
    assert len(ids) == len(held["datasets"]) == len(held["items"]) == 1
    assert held["datasets"][0]["description"] == "new"
    assert (held["items"][0]["id"], held["items"][0]["expectedOutput"]) == ("i1", "B")


def test_the_sdk_pages_through_a_dataset(sdk: Langfuse) -> None:
    sdk.create_dataset(name="many")
    for number in range(5):
        sdk.create_dataset_item(dataset_name="many", id=f"many-{number}", input=number)

    assert [item.id for item in sdk.get_dataset("many", fetch_items_page_size=2).items] == [
        f"many-{number}" for number in range(5)
    ]


def test_an_item_id_belongs_to_one_dataset(sdk: Langfuse) -> None:
    for name in ("first", "second"):
        sdk.create_dataset(name=name)
    sdk.create_dataset_item(dataset_name="first", id="shared", input=1)

    with pytest.raises(NotFoundError):
        sdk.create_dataset_item(dataset_name="second", id="shared", input=1)
    with pytest.raises(NotFoundError):
        sdk.create_dataset_item(dataset_name="third", id="other", input=1)


def test_an_experiment_arrives_with_its_traces_generations_and_scores(
    langfuse_api: httpx.Client,
    sdk: Langfuse,
) -> None:
    sdk.create_dataset(name="experiment")
    for number in range(3):
        sdk.create_dataset_item(dataset_name="experiment", id=f"e{number}", input=f"q{number}")

    def answer(*, item: DatasetItem, **_: object) -> str:
        with sdk.start_as_current_observation(
            name="answer",
            as_type="generation",
            model="gpt-4o",
            input=item.input,
            usage_details={"input": 3, "output": 4},
        ):
            return f"answer to {item.input}"

    run = sdk.get_dataset("experiment").run_experiment(name="demo", run_name="run-1", task=answer)
    sdk.flush()

    held = state(langfuse_api)
    assert [experiment["name"] for experiment in held["experiments"]] == ["run-1"]
    assert sorted(held["experiments"][0]["items"]) == ["e0", "e1", "e2"]
    assert {trace["id"] for trace in held["traces"]} == {item.trace_id for item in run.item_results}
    generation = next(span for span in held["traces"][0]["spans"] if span["name"] == "answer")
    assert generation["attributes"]["langfuse.observation.model.name"] == "gpt-4o"
    assert generation["attributes"]["langfuse.observation.usage_details"] == '{"input": 3, "output": 4}'
    assert generation["parent_span_id"] is not None


def test_a_score_sent_again_with_id_and_timestamp_is_one_score(langfuse_api: httpx.Client) -> None:
    for value in (0.5, 0.75):
        assert langfuse_api.post("/api/public/scores", json=[{**SCORE, "value": value}]).status_code == 202

    assert [(score["value"], score["times_received"]) for score in state(langfuse_api)["scores"]] == [(0.75, 2)]


def test_a_score_sent_again_without_its_timestamp_is_a_second_score(langfuse_api: httpx.Client) -> None:
    langfuse_api.post("/api/public/scores", json=[SCORE])
    langfuse_api.post("/api/public/scores", json=[{key: SCORE[key] for key in SCORE if key != "timestamp"}])

    assert len(state(langfuse_api)["scores"]) == 2


def test_the_sdk_sends_scores_and_hears_which_were_refused(langfuse_api: httpx.Client, sdk: Langfuse) -> None:
    good = CreateScoreRequest(id="g", name="accuracy", value=1.0, trace_id="t1")
    bad = CreateScoreRequest(id="b", name="accuracy", value="much", data_type="NUMERIC", trace_id="t1")

    report = sdk.api.scores.create(request=[good, bad])

    assert report.model_dump()["accepted"] == report.model_dump()["rejected"] == 1
    assert [score["id"] for score in state(langfuse_api)["scores"]] == ["g"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"value": None},
        {"traceId": None},
        {"value": "text", "dataType": "NUMERIC"},
        {"value": 2, "dataType": "BOOLEAN"},
        {"value": "x" * 501, "dataType": "TEXT"},
        {"value": 1, "dataType": "CATEGORICAL"},
    ],
)
def test_a_score_that_langfuse_would_refuse_is_refused(langfuse_api: httpx.Client, change: dict[str, Any]) -> None:
    assert langfuse_api.post("/api/public/scores", json=[{**SCORE, **change}]).json()["rejected"] == 1


def test_a_span_that_comes_again_replaces_the_first(langfuse_api: httpx.Client) -> None:
    for name in ("first", "second"):
        assert send_span(langfuse_api, name).status_code == 200

    spans = [span for trace in state(langfuse_api)["traces"] for span in trace["spans"]]
    assert [(span["name"], span["times_received"]) for span in spans] == [("second", 2)]
    assert spans[0]["attributes"] == {"text": "क", "numbers": [1, 2], "share": 0.5, "done": True}


def send_span(api: httpx.Client, name: str) -> httpx.Response:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.span_id, span.name = bytes(range(16)), bytes(range(8)), name
    for key, kind, value in (("text", "string", "क"), ("share", "double", 0.5), ("done", "bool", True)):
        setattr(span.attributes.add(key=key).value, f"{kind}_value", value)
    numbers = span.attributes.add(key="numbers").value.array_value.values
    for number in (1, 2):
        numbers.add().int_value = number
    headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}
    body = gzip.compress(request.SerializeToString())
    return api.post("/api/public/otel/v1/traces", content=body, headers=headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 415),
        ({"content-type": "application/x-protobuf"}, 400),
        ({"content-type": "application/x-protobuf", "content-encoding": "gzip"}, 400),
        ({"content-type": "application/x-protobuf", "content-encoding": "br"}, 400),
    ],
)
def test_a_trace_that_cannot_be_read_is_refused(
    langfuse_api: httpx.Client,
    headers: dict[str, str],
    status: int,
) -> None:
    answer = langfuse_api.post("/api/public/otel/v1/traces", content=b"\xff nonsense", headers=headers)

    assert answer.status_code == status


def test_keys_are_checked_except_for_health() -> None:
    with serve(create_app(LangfuseOptions(keys={"pk-right": "sk-right"}))) as url, httpx.Client(base_url=url) as api:
        pairs = [("pk-right", "sk-right"), ("pk-right", "sk-wrong"), ("pk-wrong", "sk-right")]
        statuses = [api.get("/api/public/projects", auth=pair).status_code for pair in pairs]

        assert [*statuses, api.get("/api/public/projects").status_code] == [200, 401, 401, 401]
        assert api.get("/api/public/health").json()["status"] == "OK"


def test_langfuse_can_be_down_for_one_kind_of_thing_alone(langfuse_api: httpx.Client, sdk: Langfuse) -> None:
    langfuse_api.post("/__standin__/faults", json=[{"kind": "unavailable", "endpoint": "scores"}])

    assert langfuse_api.post("/api/public/scores", json=[SCORE]).status_code == 503
    assert sdk.create_dataset(name="still here").name == "still here"
    assert langfuse_api.get("/__standin__/counts").json()["scores"]["faults"] == {"unavailable": 1}


@pytest.mark.parametrize(("kind", "status"), [("rate_limit", 429), ("server_error", 500), ("unavailable", 503)])
def test_a_request_that_meets_a_fault_leaves_no_trace(langfuse_api: httpx.Client, kind: str, status: int) -> None:
    langfuse_api.post("/__standin__/faults", json=[{"kind": kind, "first_n": 1}])

    assert send_span(langfuse_api, "lost").status_code == status
    assert state(langfuse_api)["traces"] == []
    assert send_span(langfuse_api, "kept").status_code == 200


def test_an_answer_can_be_lost_after_the_work_was_done(langfuse_api: httpx.Client) -> None:
    langfuse_api.post("/__standin__/faults", json=[{"kind": "cut", "endpoint": "scores"}])

    with pytest.raises(httpx.RemoteProtocolError):
        langfuse_api.post("/api/public/scores", json=[SCORE])
    assert len(state(langfuse_api)["scores"]) == 1


def test_older_clients_scores_in_ingestion_batches_are_kept(langfuse_api: httpx.Client) -> None:
    events = [{"id": "e1", "type": "score-create", "timestamp": "2026-01-01T00:00:00Z", "body": SCORE}]

    answer = langfuse_api.post("/api/public/ingestion", json={"batch": events})

    assert answer.json()["successes"] == [{"id": "e1", "status": 201}]
    assert [score["id"] for score in state(langfuse_api)["scores"]] == ["s1"]


def test_the_sdk_raises_what_was_refused(sdk: Langfuse) -> None:
    sdk.create_dataset(name="long ids")

    with pytest.raises(Error, match="at most 255"):
        sdk.create_dataset_item(dataset_name="long ids", id="x" * 256, input=1)
