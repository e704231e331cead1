"""Recorded sessions in the ledger, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

from eval_pipeline.core.sessions import Arrival, ContentPlace, SessionRecord, SessionScope, SessionThumb
from eval_pipeline.storage.ledger import SqlLedger, open_ledger
from eval_pipeline_tests.storage.records import MOMENT
from eval_pipeline_tests.storage.test_ledger_upgrade import downgrade

PROJECT = "default"


def a_session(session_id: str, **changes: object) -> SessionRecord:
    record = SessionRecord(
        session_id=session_id,
        fingerprint="sha256:1",
        about="a",
        profile_id="p",
        name="100% Ünï\0code",
        pinned=False,
        created_at=MOMENT,
        last_active=MOMENT,
        messages=3,
        facts="{}",
        outcome='{"reward": 1}',
        place=ContentPlace("part", 0),
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def a_thumb(session_id: str, **changes: object) -> SessionThumb:
    thumb = SessionThumb(
        session_id=session_id,
        message_index=1,
        message_id=None,
        message_sha256="m1",
        rating=-1,
        comment="no",
        author="asha",
        said_at=MOMENT,
    )
    return replace(thumb, **changes)  # type: ignore[arg-type]


def recorded(ledger: SqlLedger, key: str, *sessions: SessionRecord) -> list[Arrival]:
    ledger.begin_part(project=PROJECT, key=key)
    arrivals = ledger.record_sessions(project=PROJECT, key=key, sessions=sessions)
    assert arrivals is not None
    return list(arrivals.values())


def shown(ledger: SqlLedger, **scope: object) -> list[str]:
    page = ledger.list_sessions(project=PROJECT, scope=SessionScope(**scope), limit=10, offset=0)  # type: ignore[arg-type]
    assert page.total == len(page.items)
    return [one.session_id for one in page.items]


def test_a_session_is_recorded_listed_and_replaced(ledger: SqlLedger) -> None:
    later, earlier = MOMENT + timedelta(days=1), MOMENT - timedelta(days=1)
    first = [
        a_session("b"),
        a_session("a"),
        a_session("pinned", pinned=True, last_active=earlier),
        a_session("new", last_active=later, profile_id=None),
        a_session("never", last_active=None, created_at=None, name=None),
    ]
    assert recorded(ledger, "k1", *first) == [Arrival.NEW] * 5

    found = ledger.find_session(project=PROJECT, session_id="a")
    assert found is not None
    assert found == a_session("a", name="100% Ünï\ufffdcode", ingested_at=found.ingested_at)
    assert shown(ledger) == ["pinned", "new", "a", "b", "never"]
    assert shown(ledger, profile="p", since=MOMENT) == ["a", "b"]
    assert len(shown(ledger, search="0% Ünï")) == 4
    assert shown(ledger, search="%x") == []

    after, seen = None, list[str]()
    while some := ledger.next_sessions(project=PROJECT, scope=SessionScope(), after=after, limit=2):
        seen += [one.session_id for one in some]
        after = (some[-1].last_active, some[-1].session_id)
    assert seen == ["never", "pinned", "a", "b", "new"]

    again = [
        a_session("a", fingerprint="sha256:2", place=ContentPlace("k2", 0)),
        a_session("b", about="x"),
        a_session("new"),
    ]
    assert recorded(ledger, "k2", *again) == [Arrival.CHANGED, Arrival.UPDATED, Arrival.UNCHANGED]
    assert ledger.earlier_content(project=PROJECT, session_id="a", fingerprint="sha256:1") == ContentPlace("part", 0)
    assert ledger.places_of(project=PROJECT, session_ids=["a"]) == {"k2": [0], "part": [0]}


def test_a_hidden_session_comes_back_and_a_forgotten_one_does_not(ledger: SqlLedger) -> None:
    recorded(ledger, "k1", a_session("hidden"), a_session("forgotten"))
    ledger.add_thumbs(project=PROJECT, thumbs=[a_thumb("forgotten")])

    assert ledger.hide_sessions(project=PROJECT, session_ids=["hidden", "nobody"]) == 1
    assert ledger.begin_forgetting(project=PROJECT, session_ids=["forgotten"]) == 1
    assert ledger.places_of(project=PROJECT, session_ids=["forgotten"]) == {"part": [0]}
    ledger.end_forgetting(project=PROJECT, session_ids=["forgotten"])

    assert shown(ledger) == []
    assert ledger.thumbs(project=PROJECT) == []
    assert ledger.places_of(project=PROJECT, session_ids=["forgotten"]) == {}
    assert recorded(ledger, "k2", a_session("hidden"), a_session("forgotten")) == [Arrival.UPDATED, Arrival.FORGOTTEN]
    assert shown(ledger) == ["hidden"]


def test_sessions_that_come_and_go_at_once_are_counted(ledger: SqlLedger) -> None:
    def come_and_go(writer: int) -> None:
        names = [f"{writer}-{number}" for number in range(4)]
        for number, name in enumerate(names):
            recorded(ledger, f"k{writer}-{number}", a_session(name), a_session("shared", about=name))
            ledger.hide_sessions(project=PROJECT, session_ids=[names[0], "shared"])
        ledger.begin_forgetting(project=PROJECT, session_ids=names[:2])

    with ThreadPoolExecutor() as threads:
        list(threads.map(come_and_go, range(4)))

    assert len(shown(ledger)) == 4 * 2  # and the total is that


def test_an_upgrade_counts_the_sessions_that_are_there(ledger: SqlLedger, ledger_url: str) -> None:
    recorded(ledger, "k1", a_session("a"), a_session("b"), a_session("hidden"))
    ledger.hide_sessions(project=PROJECT, session_ids=["hidden"])
    downgrade(ledger._database, to="0012")

    with closing(open_ledger(ledger_url)) as upgraded:
        assert shown(upgraded) == ["a", "b"]
        recorded(upgraded, "k2", a_session("hidden"))
        assert len(shown(upgraded)) == 3


def test_thumbs_are_told_once_and_marked_where_their_message_is_gone(ledger: SqlLedger) -> None:
    said = [a_thumb("a"), a_thumb("a", rating=None, said_at=MOMENT + timedelta(hours=1)), a_thumb("b", author="ravi")]

    assert ledger.add_thumbs(project=PROJECT, thumbs=said) == 3
    assert ledger.add_thumbs(project=PROJECT, thumbs=said) == 0
    assert ledger.thumbs(project=PROJECT, session_ids=["a"]) == said[:2]

    ledger.orphan_thumbs(project=PROJECT, there={"a": {(2, "m1")}, "b": {(1, "m1")}})
    assert [one.is_orphaned for one in ledger.thumbs(project=PROJECT)] == [True, True, False]
    ledger.orphan_thumbs(project=PROJECT, there={"a": {(1, "m1")}})
    assert not any(one.is_orphaned for one in ledger.thumbs(project=PROJECT))


def test_a_part_that_was_withdrawn_is_not_recorded(ledger: SqlLedger) -> None:
    ledger.begin_part(project=PROJECT, key="k")
    ledger.withdraw_parts(project=PROJECT)

    assert ledger.record_sessions(project=PROJECT, key="k", sessions=[a_session("a")]) is None
    assert ledger.withdrawn_parts(project=PROJECT) == ["k"]
    ledger.drop_part(project=PROJECT, key="k")
    assert (ledger.withdrawn_parts(project=PROJECT), shown(ledger)) == ([], [])
