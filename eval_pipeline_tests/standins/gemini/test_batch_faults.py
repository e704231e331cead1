"""Everything that can go wrong with a Gemini batch reaches the client as what it is called, and is billed as it is."""

import json

import httpx
import httpx2
import pytest
from google import genai
from google.genai import errors, types

from eval_pipeline_tests.standins.gemini.batching import Batching, text_line, text_of

LINES = [text_line(number) for number in range(5)]
KEYS = [line["key"] for line in LINES]


@pytest.fixture
def batching(gemini_api: httpx.Client, google: genai.Client) -> Batching:
    return Batching(gemini_api, google)


def spoil_lines(batching: Batching, kind: str, **conditions: object) -> None:
    answer = batching.api.post("/__standin__/faults", json=[{"kind": kind, "endpoint": "generate", **conditions}])
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("scenario", "keys"),
    [
        ("out_of_order", KEYS[::-1]),
        ("missing_line", KEYS[1:]),
        ("duplicate_line", [*KEYS, "k0"]),
        ("unknown_line", [*KEYS, "never-sent"]),
    ],
)
def test_lines_come_out_of_order_not_at_all_twice_or_unasked(
    batching: Batching, scenario: str, keys: list[str]
) -> None:
    batching.spoil(scenario)

    lines = batching.results(batching.create(LINES))

    assert [line["key"] for line in lines] == keys
    by_first = {line["key"]: text_of(line) for line in reversed(lines)}
    assert all(f"question {key[1:]}" in by_first[key] for key in by_first if key in KEYS)
    assert batching.counts()["batches"]["executed"] == 5


def test_a_line_that_comes_twice_says_something_else_the_second_time(batching: Batching) -> None:
    batching.spoil("duplicate_line")

    first, *_, second = batching.results(batching.create(LINES))

    assert text_of(second) == f"Again: {text_of(first)}"


def test_the_last_line_can_be_cut(batching: Batching) -> None:
    batching.spoil("cut_last_line")

    *whole, cut = batching.content(batching.create(LINES)).split(b"\n")

    assert [json.loads(line)["key"] for line in whole] == KEYS[:4]
    assert cut.startswith(b'{"key":"k4"')
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut)


def test_a_line_separator_stands_raw_in_the_file(batching: Batching) -> None:
    batching.spoil("u2028")

    content = batching.content(batching.create(LINES))

    assert content.count("\u2028".encode()) == content.count(b"\n") == 5


@pytest.mark.parametrize(
    ("kind", "code", "status", "number"),
    [
        ("rate_limit", 429, "RESOURCE_EXHAUSTED", 8),
        ("server_error", 500, "INTERNAL", 13),
        ("unavailable", 503, "UNAVAILABLE", 14),
        ("bad_request", 400, "INVALID_ARGUMENT", 3),
        ("forbidden", 403, "PERMISSION_DENIED", 7),
    ],
)
def test_one_line_fails_in_either_shape_and_is_not_billed(
    batching: Batching, *, kind: str, code: int, status: str, number: int
) -> None:
    spoil_lines(batching, kind, match="question 2", message="words")
    usual = batching.results(batching.create(LINES))[2]["error"]
    batching.spoil("rpc_errors")
    bare = batching.results(batching.create(LINES))[2]["error"]

    assert (usual["code"], usual["status"], usual["message"]) == (code, status, "words")
    assert bare == {"code": number, "message": "words"}
    assert "question 2" not in batching.counts()["billed"]
    assert batching.counts()["batches"]["executed"] == 8


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("safety", "SAFETY"), ("recitation", "RECITATION"), ("max_tokens", "MAX_TOKENS"), ("empty", "STOP")],
)
def test_one_line_ends_for_another_reason_and_is_billed(batching: Batching, kind: str, reason: str) -> None:
    spoil_lines(batching, kind, match="question 2")

    lines = batching.results(batching.create(LINES))

    assert [line["response"]["candidates"][0]["finishReason"] for line in lines] == ["STOP"] * 2 + [reason] + [
        "STOP"
    ] * 2
    assert batching.counts()["billed"]["question 2"] == 1


@pytest.mark.parametrize(("kind", "feedback"), [("no_candidate", False), ("blocked", True)])
def test_one_line_has_no_candidate(batching: Batching, kind: str, feedback: bool) -> None:
    spoil_lines(batching, kind, match="question 2")

    response = batching.results(batching.create(LINES))[2]["response"]

    assert ("candidates" in response, "promptFeedback" in response) == (False, feedback)


@pytest.mark.parametrize(
    ("kind", "sign"),
    [
        ("code_fence", "```"),
        ("quoted", '"You asked'),
        ("labelled", "Transcript: You"),
        ("json_text", '{"transcript":'),
        ("refusal", "I'm sorry"),
        ("wrong_script", "यह"),
    ],
)
def test_one_line_says_more_than_its_answer(batching: Batching, kind: str, sign: str) -> None:
    spoil_lines(batching, kind, match="question 2")

    texts = [text_of(line) for line in batching.results(batching.create(LINES))]

    assert [text.startswith(sign) for text in texts] == [False, False, True, False, False]


def test_a_malformed_line_has_an_answer_of_another_shape(batching: Batching) -> None:
    spoil_lines(batching, "malformed", match="question 2")

    assert batching.results(batching.create(LINES))[2]["response"] == {"ok": True, "result": [1, 2, 3]}


def test_a_fault_that_strikes_once_spares_the_line_in_the_next_batch(batching: Batching) -> None:
    spoil_lines(batching, "rate_limit", match="question 2", times=1)

    rounds = [batching.results(batching.create(LINES))[2] for _ in range(2)]

    assert ["error" in line for line in rounds] == [True, False]


def test_all_lines_can_be_refused(batching: Batching) -> None:
    batching.spoil("all_bad_request", message="unsupported")
    name = batching.create(LINES)

    lines = batching.results(name)

    assert [line["error"]["message"] for line in lines] == ["unsupported"] * 5
    assert batching.look(name)["metadata"]["batchStats"] == {"requestCount": "5", "failedRequestCount": "5"}
    assert batching.counts()["billed"] == {}


@pytest.mark.parametrize(
    ("rule", "code", "words"),
    [
        ({"scenario": "token_limit"}, 8, "Resource has been exhausted"),
        ({"scenario": "failed", "code": "UNAVAILABLE", "message": "try again"}, 14, "try again"),
        ({"scenario": "failed", "code": "RESOURCE_EXHAUSTED"}, 8, "Internal error"),
        ({"scenario": "failed"}, 13, "Internal error"),
        ({"scenario": "validation_failed", "line": 3}, 3, "line 3"),
    ],
)
def test_a_failed_batch_says_why_in_the_operation_alone(
    batching: Batching, *, rule: dict[str, object], code: int, words: str
) -> None:
    batching.spoil(**rule)  # type: ignore[arg-type] # the keys are those of a rule
    name = batching.create(LINES)

    found, job = batching.look(name), batching.google.batches.get(name=name)

    assert (found["done"], found["error"]["code"]) == (True, code)
    assert words in found["error"]["message"]
    assert (job.state, job.error) == (types.JobState.JOB_STATE_FAILED, None)  # the SDK drops the reason
    assert batching.counts()["billed"] == {}


@pytest.mark.parametrize(("scenario", "state"), [("expired_no_files", "EXPIRED"), ("cancelled_no_files", "CANCELLED")])
def test_a_batch_ends_without_results(batching: Batching, scenario: str, state: str) -> None:
    batching.spoil(scenario)

    found = batching.look(batching.create(LINES))

    assert found["metadata"]["state"] == f"BATCH_STATE_{state}"
    assert "output" not in found["metadata"]
    assert "response" not in found
    assert batching.counts()["billed"] == {}


def test_a_batch_succeeds_in_part_which_the_sdk_neither_knows_nor_calls_done(batching: Batching) -> None:
    batching.spoil("partially_succeeded", done=3)
    name = batching.create(LINES)

    lines = batching.results(name)
    with pytest.warns(UserWarning, match="BATCH_STATE_PARTIALLY_SUCCEEDED is not a valid JobState"):
        job = batching.google.batches.get(name=name)

    assert [line["key"] for line in lines] == KEYS[:3]
    assert (job.state is types.JobState.JOB_STATE_PARTIALLY_SUCCEEDED, job.done) == (False, False)
    assert batching.look(name)["done"]
    assert batching.counts()["batches"]["executed"] == 3


def test_an_unknown_state_is_shown_for_as_long_as_it_should(batching: Batching) -> None:
    batching.spoil("unknown_status", status="PAUSED_BY_POLICY", polls=2)
    name = batching.create(LINES)

    looks = [batching.look(name) for _ in range(3)]

    assert [look["metadata"]["state"] for look in looks] == ["BATCH_STATE_PAUSED_BY_POLICY"] * 2 + [
        "BATCH_STATE_SUCCEEDED"
    ]
    assert [look.get("done") for look in looks] == [None, None, True]


def test_results_can_be_late_and_counts_absent(batching: Batching) -> None:
    batching.spoil("late_files", polls=1)
    late = batching.create(LINES)
    batching.spoil("null_counts")

    looks = [batching.look(late) for _ in range(2)]

    assert ["output" in look["metadata"] for look in looks] == [False, True]
    assert all(look["done"] for look in looks)
    assert "batchStats" not in batching.look(batching.create(LINES))["metadata"]


def test_a_result_file_can_be_gone(batching: Batching) -> None:
    batching.spoil("result_404")

    with pytest.raises(errors.ClientError, match="it may not exist"):
        batching.content(batching.create(LINES))
    assert batching.counts()["batches"]["executed"] == 5


def test_a_stuck_batch_keeps_what_was_done_when_it_is_cancelled(batching: Batching) -> None:
    batching.spoil("stuck", done=2)
    name = batching.create(LINES)
    states = [batching.state(name) for _ in range(3)]
    batching.google.batches.cancel(name=name)

    assert states == ["RUNNING"] * 3
    assert [line["key"] for line in batching.results(name)] == KEYS[:2]
    assert (batching.state(name), batching.counts()["batches"]["executed"]) == ("CANCELLED", 2)


def test_a_batch_is_forgotten_by_name_or_vanishes_altogether(batching: Batching) -> None:
    batching.spoil("forgotten", polls=1)
    forgotten = batching.create(LINES)
    listed = [job.name for job in batching.google.batches.list()]
    batching.spoil("vanished")
    vanished = batching.create(LINES)

    assert listed == [forgotten]
    assert batching.look(vanished)["error"]["code"] == 404
    assert [job.name for job in batching.google.batches.list()] == [forgotten]


def test_no_room_is_said_before_anything_is_created(batching: Batching) -> None:
    batching.spoil("token_limit_on_create", first_n=1)

    with pytest.raises(errors.ClientError, match="RESOURCE_EXHAUSTED"):
        batching.create(LINES)

    assert list(batching.google.batches.list()) == []
    batching.create(LINES)


def test_a_rule_strikes_the_batches_that_it_names(batching: Batching) -> None:
    batching.spoil("expired_no_files", match="question 4", endpoint="generate")

    states = [batching.state(batching.create(lines)) for lines in (LINES, LINES[:4])]

    assert states == ["EXPIRED", "SUCCEEDED"]


def test_a_batch_that_was_accepted_and_whose_reply_is_lost_exists_once(batching: Batching) -> None:
    rule = {"kind": "accepted_then_reset", "endpoint": "batches.create", "match": "run 9"}
    batching.api.post("/__standin__/faults", json=[rule])

    with pytest.raises(httpx2.TransportError):
        batching.create(LINES, title="run 9")

    assert [job.display_name for job in batching.google.batches.list()] == ["run 9"]


def test_polls_fail_and_then_go_on(batching: Batching) -> None:
    name = batching.create(LINES)
    batching.api.post("/__standin__/faults", json=[{"kind": "server_error", "endpoint": "batches.get", "times": 4}])

    codes = [batching.api.get(f"/v1/{name}").status_code for _ in range(5)]

    assert codes == [500] * 4 + [200]


@pytest.mark.parametrize("kind", ["reset_midway", "cut", "short", "server_error"])
def test_a_download_breaks_off_or_is_short_and_the_next_one_is_whole(batching: Batching, kind: str) -> None:
    name = batching.create(LINES)
    batching.api.post("/__standin__/faults", json=[{"kind": kind, "endpoint": "files.download", "times": 1}])

    with pytest.raises((httpx2.TransportError, errors.ServerError)):
        batching.content(name)

    assert len(batching.results(name)) == 5


@pytest.mark.parametrize("endpoint", ["batches.list", "batches.cancel", "batches.delete", "batches.create"])
def test_every_endpoint_of_batches_can_fail(batching: Batching, endpoint: str) -> None:
    name = batching.create(LINES)
    batching.api.post("/__standin__/faults", json=[{"kind": "rate_limit", "endpoint": endpoint}])
    calls = {
        "batches.list": lambda: list(batching.google.batches.list()),
        "batches.cancel": lambda: batching.google.batches.cancel(name=name),
        "batches.delete": lambda: batching.google.batches.delete(name=name),
        "batches.create": lambda: batching.create(LINES),
    }

    with pytest.raises(errors.ClientError, match="RESOURCE_EXHAUSTED"):
        calls[endpoint]()
