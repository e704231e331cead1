"""Everything that can go wrong with an OpenAI batch reaches the client as what it is called, and is billed as it is."""

import json

import httpx
import openai
import pytest

from eval_pipeline_tests.standins.openai.batching import EMBEDDINGS, Batching, line, text_of

LINES = [line(number) for number in range(5)]
IDS = [entry["custom_id"] for entry in LINES]


@pytest.fixture
def batching(batch_api: httpx.Client, sdk: openai.OpenAI) -> Batching:
    return Batching(batch_api, sdk)


def spoil_lines(batching: Batching, kind: str, **conditions: object) -> None:
    answer = batching.api.post("/__standin__/faults", json=[{"kind": kind, "endpoint": "responses", **conditions}])
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("scenario", "ids"),
    [
        ("out_of_order", IDS[::-1]),
        ("missing_line", IDS[1:]),
        ("duplicate_line", [*IDS, "k0"]),
        ("unknown_line", [*IDS, "never-sent"]),
    ],
)
def test_lines_come_out_of_order_not_at_all_twice_or_unasked(batching: Batching, scenario: str, ids: list[str]) -> None:
    batching.spoil(scenario)

    lines = batching.output(batching.create(LINES))

    assert [entry["custom_id"] for entry in lines] == ids
    by_first = {entry["custom_id"]: text_of(entry) for entry in reversed(lines)}
    assert all(f"question {one[1:]}" in by_first[one] for one in by_first if one in IDS)
    assert batching.counts()["executed"] == 5


def test_several_lines_can_be_missing_or_doubled_and_the_second_says_something_else(batching: Batching) -> None:
    batching.spoil("missing_line", lines=3)
    missing = batching.output(batching.create(LINES))
    batching.spoil("duplicate_line", lines=2)
    doubled = batching.output(batching.create(LINES))

    assert [entry["custom_id"] for entry in missing] == IDS[3:]
    assert [text_of(entry) for entry in doubled[5:]] == [f"Again: {text_of(entry)}" for entry in doubled[:2]]


def test_the_last_line_can_be_cut(batching: Batching) -> None:
    batching.spoil("cut_last_line")

    content = batching.content(batching.look(batching.create(LINES))["output_file_id"])

    *whole, cut = content.split(b"\n")
    assert [json.loads(raw)["custom_id"] for raw in whole] == IDS[:4]
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut)


def test_a_line_separator_stands_raw_in_the_file(batching: Batching) -> None:
    batching.spoil("u2028")

    content = batching.content(batching.look(batching.create(LINES))["output_file_id"])

    assert content.count("\u2028".encode()) == content.count(b"\n") == 5


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("rate_limit", 429, "rate_limit_exceeded"),
        ("server_error", 500, "server_error"),
        ("bad_request", 400, "invalid_value"),
        ("not_found", 404, "model_not_found"),
    ],
)
def test_one_line_fails_as_the_live_call_would_and_is_not_billed(
    batching: Batching, *, kind: str, status: int, code: str
) -> None:
    spoil_lines(batching, kind, match="question 2")
    batch_id = batching.create(LINES)

    [entry] = batching.errors(batch_id)

    assert (entry["custom_id"], entry["response"]["status_code"], entry["error"]) == ("k2", status, None)
    assert entry["response"]["body"]["error"]["code"] == code
    assert len(batching.output(batch_id)) == batching.counts()["executed"] == 4
    assert "k2|question 2" not in batching.counts()["billed"]


def test_one_line_is_incomplete_and_billed(batching: Batching) -> None:
    spoil_lines(batching, "incomplete", match="question 2")

    lines = batching.output(batching.create(LINES))

    statuses = [entry["response"]["body"]["status"] for entry in lines]
    assert statuses == ["completed", "completed", "incomplete", "completed", "completed"]
    assert batching.counts()["executed"] == 5


def test_a_malformed_line_has_a_body_of_another_shape(batching: Batching) -> None:
    spoil_lines(batching, "malformed", match="question 2")

    assert batching.output(batching.create(LINES))[2]["response"]["body"] == {"ok": True, "result": [1, 2, 3]}


@pytest.mark.parametrize("kind", ["reset", "cut", "timeout", "html", "truncated_json"])
def test_what_happens_between_machines_never_happens_to_a_line(batching: Batching, kind: str) -> None:
    spoil_lines(batching, kind)

    assert len(batching.output(batching.create(LINES))) == 5


def test_a_fault_that_strikes_once_spares_the_line_in_the_next_batch(batching: Batching) -> None:
    spoil_lines(batching, "rate_limit", match="question 2", times=1)

    done = [len(batching.output(batching.create(LINES))) for _ in range(2)]

    assert done == [4, 5]


def test_all_lines_can_be_refused_in_which_case_there_is_no_output_file(batching: Batching) -> None:
    batching.spoil("all_bad_request", message="unsupported")
    batch_id = batching.create(LINES)

    found, lines = batching.look(batch_id), batching.errors(batch_id)

    assert (found["status"], found["output_file_id"]) == ("completed", None)
    assert {entry["response"]["body"]["error"]["message"] for entry in lines} == {"unsupported"}
    assert (found["request_counts"]["failed"], batching.counts()["executed"]) == (5, 0)


@pytest.mark.parametrize("done", [0, 3])
def test_an_expired_batch_names_what_was_not_done(batching: Batching, done: int) -> None:
    batching.spoil("expired_partial", done=done)
    batch_id = batching.create(LINES)

    found, undone = batching.look(batch_id), batching.errors(batch_id)

    assert (found["status"], bool(found["output_file_id"])) == ("expired", bool(done))
    assert {entry["custom_id"]: entry["error"]["code"] for entry in undone} == dict.fromkeys(
        IDS[done:], "batch_expired"
    )
    assert {entry["response"] for entry in undone} == {None}
    assert batching.counts()["executed"] == done


@pytest.mark.parametrize(("scenario", "status"), [("expired_no_files", "expired"), ("cancelled_no_files", "cancelled")])
def test_a_batch_ends_without_files(batching: Batching, scenario: str, status: str) -> None:
    batching.spoil(scenario)

    found = batching.look(batching.create(LINES))

    assert (found["status"], found["output_file_id"], found["error_file_id"]) == (status, None, None)
    assert batching.counts()["executed"] == 0


@pytest.mark.parametrize(
    ("rule", "code", "place"),
    [
        ({"scenario": "token_limit"}, "token_limit_exceeded", None),
        ({"scenario": "validation_failed"}, "invalid_json_line", 1),
        ({"scenario": "validation_failed", "code": "duplicate_custom_id", "line": 7}, "duplicate_custom_id", 7),
    ],
)
def test_a_failed_batch_says_why(batching: Batching, *, rule: dict[str, object], code: str, place: int | None) -> None:
    batching.spoil(**{**rule, "message": "words"})  # type: ignore[arg-type] # the keys are those of a rule

    found = batching.look(batching.create(LINES))

    [problem] = found["errors"]["data"]
    assert (found["status"], problem["code"], problem["line"], problem["message"]) == ("failed", code, place, "words")
    assert batching.counts()["executed"] == 0


def test_no_room_is_said_before_anything_is_created(batching: Batching) -> None:
    batching.spoil("token_limit_on_create", first_n=1)

    with pytest.raises(httpx.HTTPStatusError, match="429"):
        batching.create(LINES)

    assert batching.counts()["created"] == 0
    batching.create(LINES)


def test_an_error_file_id_can_be_empty_and_counts_null(batching: Batching) -> None:
    batching.spoil("empty_error_file_id")
    empty = batching.look(batching.create(LINES))
    batching.spoil("null_counts")
    null = batching.look(batching.create(LINES))

    assert (empty["status"], empty["error_file_id"]) == ("completed", "")
    assert (null["status"], null["request_counts"]) == ("completed", None)


def test_a_result_file_can_be_gone(batching: Batching) -> None:
    batching.spoil("result_404")

    with pytest.raises(openai.NotFoundError):
        batching.output(batching.create(LINES))
    assert batching.counts()["executed"] == 5


def test_an_unknown_status_is_shown_for_as_long_as_it_should(batching: Batching) -> None:
    batching.spoil("unknown_status", status="resting", polls=2)
    batch_id = batching.create(LINES)

    assert [batching.status(batch_id) for _ in range(3)] == ["resting", "resting", "completed"]


def test_files_can_be_late(batching: Batching) -> None:
    batching.spoil("late_files", polls=2)
    batch_id = batching.create(LINES)

    looks = [batching.look(batch_id) for _ in range(3)]

    assert {look["status"] for look in looks} == {"completed"}
    assert [bool(look["output_file_id"]) for look in looks] == [False, False, True]


def test_a_stuck_batch_keeps_what_was_done_when_it_is_cancelled(batching: Batching) -> None:
    batching.spoil("stuck", done=2)
    batch_id = batching.create(LINES)
    statuses = [batching.status(batch_id) for _ in range(3)]
    batching.sdk.batches.cancel(batch_id)

    assert statuses == ["in_progress"] * 3
    assert [entry["custom_id"] for entry in batching.output(batch_id)] == IDS[:2]
    assert (batching.status(batch_id), batching.counts()["executed"]) == ("cancelled", 2)


def test_a_batch_is_forgotten_by_id_or_vanishes_altogether(batching: Batching) -> None:
    batching.spoil("forgotten")
    forgotten = batching.create(LINES)
    batching.spoil("vanished")
    vanished = batching.create(LINES)

    listed = [batch.id for batch in batching.sdk.batches.list()]

    assert listed == [forgotten]
    for batch_id in (forgotten, vanished):
        with pytest.raises(openai.NotFoundError):
            batching.sdk.batches.retrieve(batch_id)
        with pytest.raises(openai.NotFoundError):
            batching.sdk.batches.cancel(batch_id)


def test_a_rule_strikes_the_batches_that_it_names(batching: Batching) -> None:
    rules = [
        {"scenario": "expired_no_files", "match": "question 4"},
        {"scenario": "cancelled_no_files", "match": "run 9"},
        {"scenario": "token_limit", "endpoint": EMBEDDINGS},
    ]
    batching.api.post("/__standin__/batch_faults", json=rules)

    statuses = [
        batching.status(batching.create(lines, metadata=metadata))
        for lines, metadata in ((LINES, None), (LINES[:4], {"key": "run 9"}), (LINES[:4], None))
    ]

    assert statuses == ["expired", "cancelled", "completed"]
    assert [rule["scenario"] for rule in batching.api.get("/__standin__/batch_faults").json()] == [
        rule["scenario"] for rule in rules
    ]


def test_a_batch_that_was_accepted_and_whose_reply_is_lost_exists_once(batching: Batching) -> None:
    batching.api.post("/__standin__/faults", json=[{"kind": "accepted_then_reset", "endpoint": "batches.create"}])

    with pytest.raises(httpx.ReadError):
        batching.create(LINES, metadata={"key": "run 9"})

    assert [batch.metadata for batch in batching.sdk.batches.list()] == [{"key": "run 9"}]


def test_polls_fail_and_then_go_on(batching: Batching) -> None:
    batch_id = batching.create(LINES)
    rule = {"kind": "server_error", "endpoint": "batches.retrieve", "times": 4}
    batching.api.post("/__standin__/faults", json=[rule])

    codes = [batching.api.get(f"/v1/batches/{batch_id}").status_code for _ in range(5)]

    assert codes == [500] * 4 + [200]


@pytest.mark.parametrize("endpoint", ["batches.list", "batches.cancel", "batches.create"])
def test_every_endpoint_of_batches_can_fail(batching: Batching, endpoint: str) -> None:
    batch_id = batching.create(LINES)
    batching.api.post("/__standin__/faults", json=[{"kind": "rate_limit", "endpoint": endpoint}])
    calls = {
        "batches.list": batching.sdk.batches.list,
        "batches.cancel": lambda: batching.sdk.batches.cancel(batch_id),
        "batches.create": lambda: batching.sdk.batches.create(
            completion_window="24h", endpoint="/v1/responses", input_file_id=batching.upload(b"{}")
        ),
    }

    with pytest.raises(openai.RateLimitError):
        calls[endpoint]()


def test_what_one_batch_billed_adds_to_what_another_did(batching: Batching) -> None:
    for _ in range(2):
        batching.look(batching.create(LINES[:1]))

    assert batching.counts()["billed"] == {"k0|question 0": 2}
    assert (batching.counts()["executed"], batching.counts()["executed_distinct"]) == (2, 1)
    batching.api.delete("/__standin__/batches")
    assert batching.counts()["billed"] == {}
