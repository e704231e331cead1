"""Homes as earlier versions left them: this version opens them, finishes what waits and scores what is stored.

Every version adds its home and none is taken away; a value that changes here changes for every stored run.
"""

import csv
from collections.abc import Iterator
from typing import Any

import pytest

from eval_pipeline_tests.golden_homes.opened import ARCHIVES, GoldenHome, golden_home

GROUPS = {"text_eval": "text", "stt_eval": "stt"}
ITEMS = 30
"""Of the runs that were stopped half-way."""
NOW_AND_HERE = frozenset({"age", "age_s", "expiry", "report", "worker", "dagster_run_id", "warnings"})
WORDS_OF_RULES = frozenset({"normalisers", "scorer", "comment"})
"""May change when stored results are scored again by newer rules, as long as the values of these runs stay."""
RENAMED_MODES = {"live": "fast"}
"""``stt show`` had a word of its own for what every list called fast."""
CERTAINTIES = frozenset({"low", "high", "ci_low", "ci_high", "sentence", "conclusion", "adjusted_p"})
"""Of speech, what the version of the method (``method`` in the figures) decides: how sure a value is."""


@pytest.fixture(scope="module", params=ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoldenHome]:
    with golden_home(request.param, tmp_path_factory.mktemp("golden")) as opened:
        yield opened


def test_what_is_stored_is_listed_shown_and_exported_as_it_was(home: GoldenHome) -> None:
    listed = {(run["project"], run["flow"], run["run"]): run for run in listed_runs(home)}

    assert {key: run["state"] for key, run in listed.items()} == {
        (run["project"], run["flow"], run["run"]): run["state"] for run in home.expected["runs"]
    }
    assert {key: run["spec_hash"] for key, run in listed.items()} == {
        (run["project"], run["flow"], run["run"]): run["spec_hash"] for run in home.expected["runs"]
    }
    for run in ended_runs(home):
        assert told_differently(run["shown"], shown(home, run)) == []
        assert told_differently(rows_of(run["export"]), rows_of(exported(home, run))) == []
    assert told_differently(home.expected["feedback"], home.commands.json("stt", "feedback", "live")) == []
    for project, datasets in zip(("default", "north"), home.expected["datasets"], strict=True):
        assert told_differently(datasets, home.commands.json("dataset", "list", "--project", project)["datasets"]) == []


def test_rows_of_a_stored_dataset_are_made_again_as_they_were_and_keep_the_ids_of_their_items(home: GoldenHome) -> None:
    store = home.commands.home / "store"
    rows = sorted((store / "datasets").rglob("rows-*.parquet"))
    before = {path: path.read_bytes() for path in rows}
    for path in rows:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    dataset = home.commands.json("dataset", "list", "--kind", "text")["datasets"][0]

    name = f"{dataset['name']}@{dataset['version'][:12]}"
    ended = home.commands("text", "run", "again", "--dataset", name, "--scorer", "regex:.", "--mode", "fast")
    assert ended.code == 0, ended
    made = next(path for path in rows if dataset["version"] in str(path))
    assert made.read_bytes() == before[made]
    items = home.commands.json("text", "show", "again", "--detail")["traces"]
    assert [item["question_id"] for item in items] == [f"q{number:06d}" for number in range(1, len(items) + 1)]
    for path, data in before.items():
        path.write_bytes(data)


def test_batches_that_were_under_way_are_collected_and_none_is_sent_again(home: GoldenHome) -> None:
    before = {name: home.counts(name)["batches"]["created"] for name in ("openai", "gemini")}

    for run in ("waits-for-answers", "waits-for-vectors"):
        assert figures(home.commands.json("run", "retry", run)) == figures(expected(home, "text_eval", "batch"))
    assert figures(home.commands.json("run", "retry", "waits-for-gemini"))["counts"]["ok"] == 4

    created = {name: home.counts(name)["batches"]["created"] - before[name] for name in before}
    assert created == {"openai": 1, "gemini": 0}, "the vectors of the run whose answers were not there yet"
    billed = {name: set(home.counts(name)["batches"]["billed"].values()) for name in before}
    assert billed == {"openai": {3}, "gemini": {2}}, "once a run: these share their items with a run that had ended"


def test_runs_that_were_stopped_or_not_begun_ask_only_what_is_missing(home: GoldenHome) -> None:
    asked = home.counts("openai")["responses"]["inputs"]
    stored = [home.commands.json("text", "show", run)["counts"]["ok"] for run in ("refused", "killed")]

    done = [home.commands.json("run", "retry", run) for run in ("refused", "killed")]

    assert [run["counts"]["ok"] for run in done] == [ITEMS, ITEMS]
    assert 0 < min(stored) <= max(stored) < ITEMS
    assert home.counts("openai")["responses"]["inputs"] - asked == 2 * ITEMS - sum(stored)
    assert figures(home.commands.json("run", "retry", "requested")) == figures(expected(home, "text_eval", "fast"))


def test_stored_answers_are_scored_again_with_the_same_values(home: GoldenHome) -> None:
    for run in ended_runs(home):
        if run["state"] == "completed":
            command = (GROUPS[run["flow"]], "rescore", run["run"], "--project", run["project"])
            home.commands.json(*command)
            rules = WORDS_OF_RULES | (CERTAINTIES if run["flow"] == "stt_eval" else frozenset())
            assert told_differently(run["shown"], shown(home, run), but=NOW_AND_HERE | rules) == []


def listed_runs(home: GoldenHome) -> list[Any]:
    lists = [home.commands.json("run", "list", "--project", project)["runs"] for project in ("default", "north")]
    return [
        home.commands.json("run", "status", run["run"], "--project", run["project"], "--flow", run["flow"])
        for runs in lists
        for run in runs
    ]


def ended_runs(home: GoldenHome) -> list[Any]:
    return [run for run in home.expected["runs"] if "shown" in run]


def expected(home: GoldenHome, flow: str, name: str) -> Any:  # noqa: ANN401 - JSON
    return next(run["shown"] for run in ended_runs(home) if (run["flow"], run["run"]) == (flow, name))


def shown(home: GoldenHome, run: Any) -> Any:  # noqa: ANN401 - JSON
    return home.commands.json(GROUPS[run["flow"]], "show", run["run"], "--project", run["project"], "--detail")


def exported(home: GoldenHome, run: Any) -> str:  # noqa: ANN401 - JSON
    target = home.commands.folder / "export.csv"
    home.commands.json(GROUPS[run["flow"]], "export", run["run"], "--project", run["project"], "--output", str(target))
    return target.read_text(encoding="utf-8")


def figures(document: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return what two runs of one specification have in common."""
    return {name: document.get(name) for name in ("state", "counts", "summary_scores", "figures")}


def rows_of(export: str) -> list[dict[str, str]]:
    return list(csv.DictReader(export.splitlines(keepends=True)))


def told_differently(before: Any, now: Any, place: str = "$", *, but: frozenset[str] = NOW_AND_HERE) -> list[str]:  # noqa: ANN401 - JSON
    """Name what was told and is told no more, or otherwise; what is told besides is no matter."""
    if isinstance(before, dict) and isinstance(now, dict):
        kept = [name for name in before if name not in but and not name.endswith("_at")]
        pairs = [(f".{name}", before[name], now.get(name, "(nothing)")) for name in kept]
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = [(f"[{number}]", old, new) for number, (old, new) in enumerate(zip(before, now, strict=True))]
    else:
        same = before == now or (place.endswith(".mode") and RENAMED_MODES.get(before) == now)
        return [] if same else [f"{place}: {before!r} became {now!r}"]
    return [found for name, old, new in pairs for found in told_differently(old, new, f"{place}{name}", but=but)]
