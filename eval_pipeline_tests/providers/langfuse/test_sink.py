"""Delivery to a server that speaks Langfuse's protocol."""

import atexit
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from opentelemetry import trace

from eval_pipeline.core.errors import UnavailableError, UsageError
from eval_pipeline.core.tracing import DeliveryCounts, SessionScore
from eval_pipeline.providers.langfuse.sink import PATIENCE, LangfuseSink
from eval_pipeline_tests.providers.langfuse.runs import (
    RUN,
    SECRET_KEY,
    STARTED_AT,
    Server,
    deliver,
    item,
    items,
    langfuse_server,
    score,
    sink,
)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with langfuse_server() as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    running.forget()
    return running


def test_a_run_arrives_as_dataset_experiment_traces_and_scores(server: Server) -> None:
    rows, counts = deliver(sink(server.url), items(3))
    state = server.state()

    assert counts == DeliveryCounts(dataset_items=3, traces=3, scores=6)
    assert [dataset["name"] for dataset in state["datasets"]] == [RUN.dataset_name]
    (experiment,) = state["experiments"]
    assert experiment["items"] == {one.dataset_item_id: [one.trace_id] for one in items(3)}
    assert (experiment["id"], experiment["dataset_id"]) == (RUN.experiment_id, state["datasets"][0]["id"])
    assert [row.item_id for row in rows] == ["q0#1", "q1#1", "q2#1"]
    assert rows[0].url == f"{server.url}/project/standin-project/traces/{rows[0].trace_id}"


def test_a_dataset_item_carries_question_golden_answer_and_metadata(server: Server) -> None:
    deliver(sink(server.url), [item(7)])
    (found,) = server.state()["items"]

    assert found["id"] == item(7).dataset_item_id
    assert (found["input"], found["expectedOutput"]) == ("What is 7?", "7")
    assert found["metadata"] == {"question_id": "q7", "repeat": 1}


def test_scores_hang_on_the_root_span_with_the_moment_of_the_item(server: Server) -> None:
    deliver(sink(server.url), [item(0, scores=(score(0, "exact_match", 0.0, data_type="BOOLEAN", comment="नहीं"),))])
    (found,) = server.state()["scores"]

    assert (found["traceId"], found["observationId"]) == (item(0).trace_id, item(0).span_id)
    assert (found["name"], found["value"], found["dataType"], found["comment"]) == (
        "exact_match",
        0.0,
        "BOOLEAN",
        "नहीं",
    )
    assert found["timestamp"] == STARTED_AT.isoformat()


def test_scores_of_sessions_hang_on_the_session_and_replace_what_is_there(server: Server) -> None:
    scores = [
        SessionScore(f"s{number}", score(number, "goal_completion", 75.0), at=STARTED_AT) for number in range(450)
    ]

    assert sink(server.url).send_scores(scores) == 450
    before = server.stored()
    assert sink(server.url).send_scores(iter(scores)) == 450
    assert server.stored() == before
    assert len(before["scores"]) == 450
    [found] = [one for one in before["scores"] if one["sessionId"] == "s7"]
    assert (found["value"], found.get("traceId"), found["timestamp"]) == (75.0, None, STARTED_AT.isoformat())
    assert sink(server.url).send_scores([]) == 0


def test_delivering_twice_changes_nothing(server: Server) -> None:
    deliver(sink(server.url), items(5))
    before = server.stored()
    _, counts = deliver(sink(server.url), items(5))

    assert server.stored() == before
    assert counts == DeliveryCounts(dataset_items=0, traces=5, scores=10)


def test_a_new_answer_replaces_the_old_one(server: Server) -> None:
    deliver(sink(server.url), [item(0)])
    better = item(0, answer="Zero.", latency_s=2.0, scores=(score(0, "cosine_similarity", 1.0),))
    deliver(sink(server.url), [better])
    state = server.state()

    assert len(state["traces"]) == 1
    assert state["traces"][0]["spans"][0]["attributes"]["langfuse.observation.output"] == "Zero."
    assert {found["name"]: found["value"] for found in state["scores"]} == {
        "cosine_similarity": 1.0,
        "exact_match": 1.0,
    }


def test_a_dataset_item_is_written_again_only_when_it_differs(server: Server) -> None:
    deliver(sink(server.url), items(3))
    _, counts = deliver(sink(server.url), [item(0), item(1, golden_answer="one"), item(2)])

    assert counts.dataset_items == 1
    assert {found["expectedOutput"] for found in server.state()["items"]} == {"0", "one", "2"}


def test_items_of_more_than_one_page_are_recognized(server: Server) -> None:
    deliver(sink(server.url), items(230))
    _, counts = deliver(sink(server.url), items(230))

    assert counts.dataset_items == 0


def test_a_server_that_cannot_list_items_gets_all_of_them(server: Server) -> None:
    server.break_with({"kind": "not_found", "endpoint": "dataset-items", "first_n": 1})
    _, counts = deliver(sink(server.url), items(2))

    assert counts.dataset_items == 2


def test_two_runs_on_one_dataset_share_its_items(server: Server) -> None:
    deliver(sink(server.url), [item(0)])
    second = item(0, trace_id="1" * 32, span_id="2" * 16, scores=())
    deliver(sink(server.url), [second], run=replace(RUN, experiment_id="f" * 32, name="demo2"))
    state = server.state()

    assert (len(state["datasets"]), len(state["items"])) == (1, 1)
    assert {one["name"] for one in state["experiments"]} == {"demo", "demo2"}


def test_a_thousand_scores_go_in_few_requests(server: Server) -> None:
    many = [item(n, scores=tuple(score(n, f"s{k}", 0.5) for k in range(10))) for n in range(100)]
    deliver(sink(server.url), many)

    assert len(server.state()["scores"]) == 1_000
    assert server.calls("scores") == 5
    assert server.calls("traces") == 1


def test_texts_of_every_script_arrive_as_they_are(server: Server) -> None:
    text = 'a"b\\c\n\t</script>\u2028 नमस्ते \U0001f600 العربية'
    deliver(sink(server.url), [item(0, question=text, answer=text, golden_answer=text)])
    state = server.state()
    root = state["traces"][0]["spans"][0]["attributes"]

    assert state["items"][0]["input"] == state["items"][0]["expectedOutput"] == text
    assert root["langfuse.observation.input"] == root["langfuse.observation.output"] == text


@pytest.mark.parametrize("endpoint", ["datasets", "dataset-items", "traces", "scores"])
@pytest.mark.parametrize("kind", ["unavailable", "rate_limit", "server_error", "reset", "cut", "html"])
def test_a_fault_that_passes_loses_nothing(server: Server, endpoint: str, kind: str) -> None:
    server.break_with({"kind": kind, "endpoint": endpoint, "first_n": 1})
    _, counts = deliver(sink(server.url), items(2))
    state = server.state()

    assert (counts.traces, counts.scores) == (2, 4)
    assert (len(state["items"]), len(state["traces"]), len(state["scores"])) == (2, 2, 4)


def test_retry_after_is_honoured_as_given(server: Server) -> None:
    slept: list[float] = []
    server.break_with({"kind": "rate_limit", "endpoint": "traces", "first_n": 2, "retry_after": 41})
    deliver(sink(server.url, slept=slept), [item(0)])

    assert slept == [41.0, 41.0]


@pytest.mark.parametrize("kind", ["rate_limit", "unavailable", "html"])
@pytest.mark.parametrize("endpoint", ["datasets", "dataset-items", "traces", "scores"])
def test_a_fault_that_stays_ends_the_delivery_after_bounded_tries(server: Server, endpoint: str, kind: str) -> None:
    server.break_with({"kind": kind, "endpoint": endpoint})
    with pytest.raises(UnavailableError) as caught:
        deliver(sink(server.url), [item(0)])

    assert caught.value.code == "langfuse_unavailable"
    assert "materialize traces again" in caught.value.hint
    assert f"after {PATIENCE.max_attempts} attempts" in caught.value.message
    assert server.calls(endpoint) == PATIENCE.max_attempts


def test_an_error_says_what_was_delivered_and_the_next_try_completes_it(server: Server) -> None:
    server.break_with({"kind": "unavailable", "endpoint": "scores", "message": "maintenance until noon"})
    with pytest.raises(UnavailableError) as caught:
        deliver(sink(server.url), items(3))
    server.break_with()
    deliver(sink(server.url), items(3))
    state = server.state()

    assert "HTTP 503: maintenance until noon" in caught.value.message
    assert "delivered until then: 3 dataset items, 3 traces, 0 scores" in caught.value.message
    assert (len(state["items"]), len(state["traces"]), len(state["scores"])) == (3, 3, 6)


def test_dataset_items_that_were_written_before_a_failure_are_counted(server: Server) -> None:
    server.break_with({"kind": "bad_request", "endpoint": "dataset-items", "match": "What is 2?"})
    with pytest.raises(UsageError) as caught:
        deliver(sink(server.url), items(3))

    assert caught.value.code == "langfuse_rejected"
    assert f"{len(server.state()['items'])} dataset items, 0 traces" in caught.value.message


def test_wrong_keys_are_named_as_such_and_never_shown(server: Server) -> None:
    with pytest.raises(UsageError) as caught:
        deliver(sink(server.url, secret_key="sk-lf-wrong"), [item(0)])

    assert caught.value.code == "langfuse_auth_failed"
    assert "HTTP 401" in caught.value.message
    assert "sk-lf-wrong" not in str(caught.value)
    assert server.calls("datasets") == 1


def test_a_server_that_is_down_is_named() -> None:
    with langfuse_server() as gone:
        pass
    with pytest.raises(UnavailableError) as caught:
        deliver(sink(gone.url), [item(0)])

    assert gone.url in caught.value.message
    assert "check that it is up" in caught.value.hint


def test_a_wrong_path_in_the_base_url_is_explained(server: Server) -> None:
    with pytest.raises(UnavailableError) as caught:
        deliver(sink(f"{server.url}/api/public"), [item(0)])

    assert "base URL" in caught.value.hint


def test_scores_that_the_server_rejects_are_an_error(server: Server) -> None:
    impossible = score(0, "exact_match", 0.5, data_type="BOOLEAN")
    with pytest.raises(UsageError) as caught:
        deliver(sink(server.url), [item(0, scores=(impossible, score(0, "cosine_similarity", 0.5)))])

    assert caught.value.code == "langfuse_rejected"
    assert "1 of 2 scores rejected" in caught.value.message


@pytest.mark.parametrize("address", ["", "cloud.langfuse.com", "ftp://x", "http://", "http://[", "http://x:port"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(UsageError) as caught:
        sink(address)

    assert caught.value.code == "langfuse_base_url_invalid"


@pytest.mark.parametrize("key", ["", "sk-lf-1\n", "sk lf", "ключ"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        sink("http://127.0.0.1", secret_key=key)

    assert caught.value.code == "langfuse_auth_failed"
    assert not key or key.strip() not in str(caught.value)


def test_an_address_may_end_with_a_slash(server: Server) -> None:
    rows, _ = deliver(sink(f"{server.url}/"), [item(0)])

    assert rows[0].url is not None
    assert rows[0].url.startswith(f"{server.url}/project/")


def test_nothing_stays_behind(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[object] = []
    monkeypatch.setattr(atexit, "register", lambda function, *_, **__: registered.append(function))
    before = set(threading.enumerate())
    provider = trace.get_tracer_provider()
    deliver(sink(server.url), items(2))

    assert set(threading.enumerate()) == before
    assert registered == []
    assert trace.get_tracer_provider() is provider


def test_the_sink_loads_no_sdk_before_it_is_opened() -> None:
    code = (
        "import sys; from eval_pipeline.providers.langfuse.sink import LangfuseSink;"
        "LangfuseSink(base_url='http://x', public_key='p', secret_key='s');"
        "print([name for name in ('langfuse', 'httpx', 'opentelemetry') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


def test_the_sink_shows_no_key() -> None:
    assert SECRET_KEY not in repr(sink("http://127.0.0.1"))
    assert SECRET_KEY not in str(LangfuseSink.__repr__(sink("http://127.0.0.1")))
