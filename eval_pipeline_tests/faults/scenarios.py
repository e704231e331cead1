"""What goes wrong, and what must come of it: the 21 scenarios, and several of them in one run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eval_pipeline_tests.faults.columns import Column, Work

Rule = Mapping[str, object]
Rules = Callable[[Column], Sequence[Rule]]


def _none(_: Column) -> Sequence[Rule]:
    return ()


@dataclass(frozen=True, slots=True)
class Kill:
    """Where the process is killed: behind a call that was executed, before its answer came."""

    method: str
    call: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row.

    Args:
        name: as the table shows it.
        batches: what happens to batches as a whole.
        calls: what happens to calls, and to single lines.
        lost: items that end without a result; None: all of them.
        rounds: batches of the stage that the provider made.
        again: lines that the provider executed more than once, because it lost what they brought.
        words: what a person must be told, in the error, the status or the rows.
        settings: of the installation.
        kill: where the process is killed; the run is then taken up once.
        works: the kinds of work that it is about.
        offers: whether ``run retry --resend-lost`` then brings everything.
    """

    name: str
    batches: Rules = _none
    calls: Rules = _none
    lost: int | None = 0
    rounds: int = 1
    again: int = 0
    words: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    kill: Kill | None = None
    works: frozenset[Work] = frozenset(Work)
    offers: bool = False


def _batch(*scenarios: str, **facts: object) -> Rules:
    """Let one batch after the other meet its scenario."""
    return lambda column: [{"scenario": name, "endpoint": column.batches, "first_n": 1, **facts} for name in scenarios]


def _expires_partly(column: Column) -> Sequence[Rule]:
    return [{"scenario": column.names["partly_expired"], "endpoint": column.batches, "first_n": 1, "done": 3}]


def _line(kind: str, **facts: object) -> Rules:
    return lambda column: [{"kind": column.names.get(kind, kind), "endpoint": column.lines, "first_n": 1, **facts}]


def _calls(*faults: tuple[str, str, int]) -> Rules:
    return lambda column: [
        {"kind": kind, "endpoint": column.names[call], "first_n": count}
        for call, kind, count in faults
        if call in column.names
    ]


_TEXTS = frozenset({Work.ANSWERS, Work.TRANSCRIPTS})
SCENARIOS: Final = (
    Scenario("1 all well"),
    Scenario("2 out of order", _batch("out_of_order")),
    Scenario("3 expired, some done", _expires_partly, rounds=2),
    Scenario("4 expired, no files", _batch("expired_no_files"), rounds=2),
    Scenario("5 cancelled by somebody", _batch("cancelled_no_files"), lost=None, words="cancelled"),
    Scenario("6 no room in the queue", _batch("token_limit"), rounds=2),
    Scenario("6b no room at creation", _batch("token_limit_on_create")),
    Scenario("7 all refused", _batch("all_bad_request", message="no such thing"), lost=None, words="no such thing"),
    Scenario("8 one line refused", calls=_line("bad_request", message="not this one"), lost=1, words="not this one"),
    Scenario("9 one line throttled", calls=_line("rate_limit"), rounds=2),
    Scenario("10 one id missing", _batch("missing_line"), rounds=2, again=1),
    Scenario("11 an id twice", _batch("duplicate_line"), words="more than once"),
    Scenario("12 a strange id", _batch("unknown_line"), words="never sent"),
    Scenario("13 the last line cut", _batch("cut_last_line"), rounds=2, again=1),
    Scenario("14 500 while polling", calls=_calls(("list", "server_error", 4), ("look", "server_error", 2))),
    Scenario("15 a download breaks", calls=_calls(("download", "reset_midway", 1))),
    Scenario("15b a download is short", calls=_calls(("download", "short", 1))),
    Scenario("16 creation unanswered", calls=_calls(("create", "accepted_then_reset", 1))),
    Scenario("17 counts are null", _batch("null_counts")),
    Scenario("18 results are gone", _batch("result_404"), lost=None, words="result_lost", offers=True),
    Scenario("19 unknown status", _batch("unknown_status", polls=2)),
    Scenario("20 cut short by the model", calls=_line("cut_short"), lost=1, words="max", works=_TEXTS),
    Scenario("20b a vector is no number", calls=_line("nan"), rounds=2, again=1, works=frozenset({Work.EMBEDDINGS})),
    Scenario("21 U+2028 in an answer", _batch("u2028"), works=_TEXTS),
    Scenario("22 files come late", _batch("late_files", polls=2)),
    Scenario("23 forgotten for a while", _batch("forgotten", polls=2)),
    Scenario("24 vanished for a while", _batch("vanished", polls=1)),
    Scenario("25 two rounds fail", _batch("expired_no_files", "expired_no_files"), rounds=3),
    Scenario("26 a line lost in each round", _batch("missing_line", "cut_last_line"), rounds=3, again=1),
    Scenario("27 expired, then no room", _batch("expired_no_files", "token_limit"), rounds=3),
    Scenario(
        "28 everything hiccups",
        _expires_partly,
        _calls(
            ("upload", "unavailable", 1),
            ("create", "accepted_then_reset", 1),
            ("list", "server_error", 2),
            ("look", "server_error", 1),
            ("download", "reset_midway", 1),
        ),
        rounds=2,
    ),
    Scenario("29 killed at creation", kill=Kill("POST", "create")),
    Scenario("30 killed at creation, expires", _expires_partly, rounds=2, kill=Kill("POST", "create")),
    Scenario("31 killed at the download", kill=Kill("GET", "results")),
)
