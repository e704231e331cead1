from contextlib import closing
from dataclasses import replace

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy.exc import StatementError

from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.feedback import Change, ErrorTag, FeedbackEntry
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.storage.ledger import SqlLedger, open_ledger
from eval_pipeline.storage.ledger_upgrade import MIGRATIONS
from eval_pipeline_tests.crowd import all_at_once
from eval_pipeline_tests.storage.records import KEY, MOMENT, a_run

ENTRY = FeedbackEntry(
    flow=Flow.STT,
    key=KEY,
    item_id="s1#gemini",
    text_sha256="a" * 64,
    change=Change(is_correct=False, comment="नाम गलत\nहै", tags=(ErrorTag.NAME, ErrorTag.NUMBER)),
    reviewer="मीरा",
    judged_at=MOMENT,
)


@pytest.fixture
def judged(ledger: SqlLedger) -> SqlLedger:
    ledger.claim_run(a_run(flow=Flow.STT))
    return ledger


def recorded(ledger: SqlLedger, key: RunKey = KEY, flow: Flow = Flow.STT) -> list[FeedbackEntry]:
    return list(ledger.run_feedback(flow=flow, key=key))


@pytest.mark.parametrize(
    "change",
    [
        ENTRY.change,
        Change(is_correct=True),
        Change(is_correct=None),
        Change(comment=None),
        Change(tags=()),
        Change(comment="only this"),
    ],
)
def test_an_entry_comes_back_as_it_was_recorded_and_null_is_not_untouched(judged: SqlLedger, change: Change) -> None:
    judged.add_feedback([replace(ENTRY, change=change)])

    assert recorded(judged) == [replace(ENTRY, change=change)]


def test_entries_come_back_in_the_order_of_recording_whatever_their_clocks_say(judged: SqlLedger) -> None:
    entries = [replace(ENTRY, judged_at=MOMENT.replace(year=year)) for year in (2026, 2001, 2030)]
    judged.add_feedback(entries[:2])
    judged.add_feedback(entries[2:])

    assert recorded(judged) == entries


def test_entries_of_a_run_that_is_not_there_are_refused_with_all_the_others(judged: SqlLedger) -> None:
    with pytest.raises(NotFoundError) as caught:
        judged.add_feedback([ENTRY, replace(ENTRY, key=RunKey(project="lab", run="first"))])

    assert caught.value.code == "run_not_found"
    assert recorded(judged) == []


def test_an_entry_that_cannot_be_stored_takes_the_others_with_it(judged: SqlLedger) -> None:
    with pytest.raises(StatementError, match="time zone"):
        judged.add_feedback([ENTRY, replace(ENTRY, judged_at=MOMENT.replace(tzinfo=None))])

    assert recorded(judged) == []


def test_nothing_to_record_is_nothing(judged: SqlLedger) -> None:
    judged.add_feedback([])

    assert recorded(judged) == []


def test_runs_of_other_flows_projects_and_names_have_their_own(judged: SqlLedger) -> None:
    other = RunKey(project="lab", run="first")
    judged.claim_run(a_run(flow=Flow.TEXT))
    judged.claim_run(a_run(flow=Flow.STT, project="lab"))
    judged.add_feedback([ENTRY, replace(ENTRY, key=other), replace(ENTRY, flow=Flow.TEXT)])

    assert recorded(judged) == [ENTRY]
    assert recorded(judged, other) == [replace(ENTRY, key=other)]
    assert recorded(judged, flow=Flow.TEXT) == [replace(ENTRY, flow=Flow.TEXT)]


def test_what_was_said_goes_with_the_run_and_a_new_run_of_the_name_begins_without(judged: SqlLedger) -> None:
    judged.claim_run(a_run("other", flow=Flow.STT))
    kept = replace(ENTRY, key=RunKey(project="default", run="other"))
    judged.add_feedback([ENTRY, kept])

    judged.delete_run(flow=Flow.STT, key=KEY)
    judged.claim_run(a_run(flow=Flow.STT))

    assert recorded(judged) == []
    assert recorded(judged, kept.key) == [kept]


def judge(url: str) -> str:
    with closing(open_ledger(url)) as ledger:
        for _ in range(5):
            ledger.add_feedback([ENTRY, ENTRY])
    return "done"


def test_reviewers_who_judge_at_once_lose_nothing(judged: SqlLedger, ledger_url: str) -> None:
    all_at_once(judge, ledger_url, processes=4)

    assert recorded(judged) == [ENTRY] * 40


def test_a_ledger_from_before_verdicts_is_upgraded_and_keeps_its_runs(judged: SqlLedger, ledger_url: str) -> None:
    database = judged._database
    with database.write() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes.update(connection=connection, schema=database.schema)
        command.downgrade(config, "0002")

    with closing(open_ledger(ledger_url)) as upgraded:
        assert upgraded.find_run(flow=Flow.STT, key=KEY) == a_run(flow=Flow.STT)
        upgraded.add_feedback([ENTRY])
        assert recorded(upgraded) == [ENTRY]
