import gzip
import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import NotFoundError, UsageError
from eval_pipeline.core.sessions import Arrival, SessionScope
from eval_pipeline.session_eval import session_feedback, session_store
from eval_pipeline.session_eval.session_feedback import Said, say, standing
from eval_pipeline.session_eval.sessions.facts import facts_of
from eval_pipeline.session_eval.sessions.importers.tau_bench import write
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.crowd import all_at_once
from eval_pipeline_tests.session_eval.homes import PROJECT, TAU_BENCH, brought_in, lines
from eval_pipeline_tests.session_eval.sessions.samples import native


def test_two_hundred_real_sessions_come_in_and_go_out_without_a_loss(deployment: Deployment) -> None:
    result = brought_in(deployment, TAU_BENCH)

    given = json.loads(gzip.decompress(TAU_BENCH.read_bytes()))
    stored = list(session_store.documents(deployment, session_store.each(deployment, PROJECT)))
    written = {stored_one.session_id: write(document) for stored_one, document in stored}
    assert (result.arrivals, result.bad, dict(result.formats)) == ({Arrival.NEW: 200}, [], {"tau_bench": 1})
    assert [_decoded(written[f"tau_bench_gpt4o_airline-{one['task_id']}-{one['trial']}"]) for one in given] == [
        _decoded(one) for one in given
    ]
    counted = [stored_one.facts.tool_calls for stored_one, _ in stored]
    assert counted == [facts_of(session_store.content(deployment, one)).tool_calls for one, _ in stored]
    assert sum(counted) == sum(len(message.get("tool_calls") or ()) for one in given for message in one["traj"])


def _decoded(result: JsonDict) -> JsonDict:
    """Return a result with the arguments of its calls as values: how they are spaced says nothing."""
    for message in result["traj"]:
        for call in message.get("tool_calls") or ():
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return result


def test_coming_in_again_updates_by_id_and_keeps_the_old_content(deployment: Deployment, tmp_path: Path) -> None:
    grown = native("a")
    grown["messages"].append({"role": "user", "content": "thanks"})
    path = tmp_path / "s.jsonl"

    first = brought_in(deployment, lines(path, native("a"), native("b"), native("c")))
    again = brought_in(deployment, lines(path, grown, native("b", name="to Pune"), native("c"), native("d")))

    assert first.arrivals == {Arrival.NEW: 3}
    assert again.arrivals == {Arrival.CHANGED: 1, Arrival.UPDATED: 1, Arrival.UNCHANGED: 1, Arrival.NEW: 1}
    found = {one.session_id: one for one in session_store.each(deployment, PROJECT)}
    assert (found["a"].message_count, found["b"].name, len(found)) == (7, "to Pune", 4)
    assert found["a"].facts.user_turns == 2
    assert found["a"].session_fingerprint != found["c"].session_fingerprint == found["b"].session_fingerprint
    assert session_store.content(deployment, found["a"]).messages[-1].text == "thanks"
    earlier = session_store.find(deployment, PROJECT, "a", fingerprint=found["c"].session_fingerprint)
    assert earlier is not None
    assert len(session_store.content(deployment, earlier).messages) == 6
    assert session_store.find(deployment, PROJECT, "a", fingerprint="sha256:other") is None
    assert sum(map(len, deployment.ledger.places_of(project=PROJECT, session_ids=["a", "b"]).values())) == 4


def test_every_bad_line_is_told_with_its_number_and_reason(deployment: Deployment, tmp_path: Path) -> None:
    path = lines(
        tmp_path / "s.jsonl",
        native("good"),
        '{"schema": "eval_pipeline.session/1", "session_id": "cut", "mess',
        "",
        native("x", messages=[{"role": "moderator", "content": "x"}]),
        native("empty", messages=[]),
        native("good", name="another"),
        "[1, 2]",
        native("late"),
    )

    result = brought_in(deployment, path)

    assert result.arrivals == {Arrival.NEW: 2}
    assert [(bad.number, bad.reason.split(" (")[0]) for bad in result.bad] == [
        (2, "invalid JSON: Unterminated string starting at"),
        (4, "messages[0].role is 'moderator'"),
        (5, "messages is empty"),
        (6, "session_id 'good' is there twice; that of record 1 was taken"),
        (7, "it is no object"),
    ]
    assert {one.session_id for one in session_store.each(deployment, PROJECT)} == {"good", "late"}


def test_what_no_json_holds_is_replaced_and_told(deployment: Deployment, tmp_path: Path) -> None:
    text = json.dumps(native("a", metadata={"score": float("nan"), "id": 2**70, "cut": "\ud83d"}))
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n")

    result = brought_in(deployment, path)

    [(_, document)] = session_store.documents(deployment, session_store.each(deployment, PROJECT))
    assert document["metadata"] == {"score": None, "id": 2**70, "cut": "\ufffd"}
    assert len(result.notes) == 1


def test_long_sessions_and_long_messages_come_in_whole(deployment: Deployment, tmp_path: Path) -> None:
    many = [{"role": "user", "content": "ab" * 200} for _ in range(1_000)]
    long = native("long", messages=[{"role": "tool", "content": "x" * 10_000_000}])

    result = brought_in(deployment, lines(tmp_path / "s.jsonl", native("many", messages=many), long))

    assert result.arrivals == {Arrival.NEW: 2}
    [stored] = session_store.require(deployment, PROJECT, ["long"])
    assert stored.facts.characters == 10_000_000
    assert len(session_store.content(deployment, stored).messages[0].text) == 10_000_000


def test_a_folder_a_pipe_and_compressed_files_are_read(deployment: Deployment, tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "2026"
    folder.mkdir(parents=True)
    lines(folder / "a.jsonl", native("a"))
    (folder / "b.json").write_text(json.dumps([native("b1"), native("b2")], indent=1))
    (folder / "c.json.gz").write_bytes(gzip.compress(json.dumps(native("c"), indent=2).encode()))
    (folder / "broken.jsonl.gz").write_bytes(gzip.compress(json.dumps(native("d")).encode() + b"\n" * 99_999)[:-9])
    (folder / "notes.txt").write_text("not a session")

    result = brought_in(deployment, tmp_path / "logs")

    assert result.arrivals == {Arrival.NEW: 5}
    assert [(Path(bad.file).name, "broken" in bad.reason) for bad in result.bad] == [("broken.jsonl.gz", True)]
    assert list(result.notes) == ["files in folders with other endings were passed over: 1"]


@pytest.mark.parametrize(
    "content", [b"", b"hello\n", b'{"a": 1}\n', b"\xff\xfe{\0}\0", b"[]", b"{", b"42", b"PK\x03\x04x"]
)
def test_a_file_of_something_else_is_told_and_brings_nothing(
    deployment: Deployment, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "s.json"
    path.write_bytes(content)

    result = brought_in(deployment, path)

    assert result.sessions == 0
    assert result.bad_count == 1


def test_a_file_that_is_not_there_is_an_error(deployment: Deployment, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        brought_in(deployment, tmp_path / "nothing.jsonl")


def test_sessions_are_gone_through_by_last_activity_and_found_by_what_they_are(
    deployment: Deployment, tmp_path: Path
) -> None:
    times = {"old": "2026-01-01T00:00:00", "new": "2026-03-01T00:00:00+05:30", "none": None}
    made = [
        native(
            name, last_active=at, created_at=None, name=f"100% {name}", profile_id=name[:1], messages=[{"role": "user"}]
        )
        for name, at in times.items()
    ]
    brought_in(deployment, lines(tmp_path / "s.jsonl", *made))

    def ids(**scope: object) -> list[str]:
        return [one.session_id for one in session_store.each(deployment, PROJECT, SessionScope(**scope))]  # type: ignore[arg-type]

    assert ids() == ["none", "old", "new"]
    assert ids(profile="n") == ["none", "new"]
    assert ids(since=datetime(2026, 2, 28, 18, 30, tzinfo=UTC)) == ["new"]
    assert (ids(search="0% O"), ids(search="x_")) == (["old"], [])
    page = session_store.listed(deployment, PROJECT, limit=2, offset=0)
    assert ([one.session_id for one in page.items], page.total) == (["new", "old"], 3)


def test_feedback_is_bound_to_the_message_that_was_meant(deployment: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    brought_in(deployment, lines(path, native("a")))
    [stored] = session_store.require(deployment, PROJECT, ["a"])
    say(deployment, PROJECT, stored, [Said(message_index=5, rating=-1, comment="wrong bus")], author="ravi")
    say(deployment, PROJECT, stored, [Said(message_index=1, rating=1)], author="ravi")

    assert session_feedback.thumbs(deployment, PROJECT) == {"a": (2, 1)}
    with pytest.raises(UsageError, match="has no message 6"):
        say(deployment, PROJECT, stored, [Said(message_index=6, rating=1)], author="ravi")

    moved = native("a", feedback=[])
    moved["messages"].insert(5, {"role": "assistant", "content": "One moment."})
    brought_in(deployment, lines(path, moved))

    assert session_feedback.thumbs(deployment, PROJECT) == {"a": (1, 0)}
    told = standing(deployment.ledger.thumbs(project=PROJECT, session_ids=["a"]))
    assert [(one.thumb.message_index, one.thumb.is_orphaned, one.counts) for one in told] == [
        (1, False, True),
        (5, True, False),
        (5, True, False),
    ]

    brought_in(deployment, lines(path, native("a")), lines(tmp_path / "again.jsonl", native("a")))
    assert session_feedback.thumbs(deployment, PROJECT) == {"a": (2, 1)}
    [stored] = session_store.require(deployment, PROJECT, ["a"])
    say(deployment, PROJECT, stored, [Said(message_index=5, rating=None)], author="ravi")
    assert session_feedback.thumbs(deployment, PROJECT) == {"a": (2, 0)}


def test_a_session_that_a_run_uses_is_not_deleted(deployment: Deployment, tmp_path: Path) -> None:
    brought_in(deployment, lines(tmp_path / "s.jsonl", native("a"), native("b")))

    with pytest.raises(NotFoundError, match="no session 'c'"):
        session_store.delete(deployment, PROJECT, ["a", "c"])
    assert session_store.delete(deployment, PROJECT, ["a"]) == 1
    assert session_store.find(deployment, PROJECT, "a") is None
    assert brought_in(deployment, tmp_path / "s.jsonl").arrivals == {Arrival.UPDATED: 1, Arrival.UNCHANGED: 1}
    assert session_store.find(deployment, PROJECT, "a") is not None


def test_a_break_leaves_what_was_told_as_done_and_again_completes_it(deployment: Deployment, tmp_path: Path) -> None:
    class BrokenOffError(Exception):
        pass

    path = lines(tmp_path / "s.jsonl", *(native(f"s-{number}") for number in range(4_500)))
    told: list[int] = []

    def break_off(result: object) -> None:
        told.append(session_store.listed(deployment, PROJECT, limit=1, offset=0).total)
        raise BrokenOffError

    from eval_pipeline.session_eval.session_ingest import ingest  # noqa: PLC0415 - with the hook of progress

    with pytest.raises(BrokenOffError):
        ingest(deployment, PROJECT, [str(path)], on_progress=break_off)
    there = session_store.listed(deployment, PROJECT, limit=1, offset=0).total
    again = brought_in(deployment, path)

    assert there >= told[0] >= 2_000
    assert again.arrivals == {Arrival.UNCHANGED: there, Arrival.NEW: 4_500 - there}
    places = {one.record.place for one in session_store.each(deployment, PROJECT)}
    assert len(places) == 4_500
    assert sorted({place.part for place in places}) == list(deployment.objects.list("sessions/default/parts"))


def _bring_in(folder: str) -> str:
    with closing(Deployment(environ={"EVAL_PIPELINE_HOME": f"{folder}/home"})) as deployment:
        result = brought_in(deployment, Path(folder) / "s.jsonl")
    return json.dumps([result.sessions, result.arrivals[Arrival.NEW]])


@pytest.mark.slow
def test_two_that_bring_the_same_in_at_once_leave_every_session_once(deployment: Deployment, tmp_path: Path) -> None:
    lines(tmp_path / "s.jsonl", *(native(f"s-{number}") for number in range(2_100)))
    session_store.listed(deployment, PROJECT, limit=1, offset=0)

    told = [json.loads(one) for one in all_at_once(_bring_in, str(tmp_path), processes=2)]

    assert [sessions for sessions, _ in told] == [2_100, 2_100]
    assert sum(new for _, new in told) == 2_100
    stored = list(session_store.each(deployment, PROJECT))
    assert len(stored) == 2_100
    assert sum(1 for _ in session_store.documents(deployment, stored)) == 2_100


def test_a_forgotten_ledger_row_never_points_into_a_withdrawn_part(deployment: Deployment, tmp_path: Path) -> None:
    """Whoever writes a part that was withdrawn meanwhile writes it again, under another name."""
    ledger = deployment.ledger
    ledger.begin_part(project=PROJECT, key="sessions/default/parts/x.parquet")
    ledger.withdraw_parts(project=PROJECT)

    assert ledger.record_sessions(project=PROJECT, key="sessions/default/parts/x.parquet", sessions=[]) is None
    brought_in(deployment, lines(tmp_path / "s.jsonl", native("a")))
    assert ledger.withdrawn_parts(project=PROJECT) == []
