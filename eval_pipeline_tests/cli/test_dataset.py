"""``dataset add|list|show|delete`` from the command line."""

from pathlib import Path

import pytest

from eval_pipeline_tests.cli.conftest import GOLDEN
from eval_pipeline_tests.commands import Commands

BAD_NAMES = ("a/b", "..", "../../evil", ".hidden", "two\nlines", "x" * 10_000, "🙂🙂", "", " padded ", "a~b", "a@b")
BROKEN = {
    "empty": b"",
    "blank": b"\n\n \n",
    "no answer column": b"question,reply\na,b\n",
    "header alone": b"question,answer\n",
    "no valid row": b"question,answer\n,b\n ,\n",
    "image": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
    "bad jsonl": b'{"question": 1',
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_that_could_lead_elsewhere_is_refused(commands: Commands, name: str) -> None:
    ended = commands("dataset", "add", name, str(commands.folder / "golden.csv"), "--json")

    assert (ended.code, ended.error_code) == (1, "invalid_dataset_name")
    assert len(ended.out) < 1_000


@pytest.mark.parametrize("problem", BROKEN)
def test_a_broken_file_is_refused_and_nothing_is_left(commands: Commands, problem: str) -> None:
    path = commands.folder / ("broken.jsonl" if "jsonl" in problem else "broken.csv")
    path.write_bytes(BROKEN[problem])
    ended = commands("dataset", "add", "broken", str(path), "--json")

    assert (ended.code, ended.error_code) == (1, "invalid_dataset")
    assert ended.document["error"]["hint"]
    assert commands("dataset", "show", "broken", "--json").error_code == "dataset_not_found"


def test_a_file_that_is_not_there_is_named(commands: Commands) -> None:
    ended = commands("dataset", "add", "absent", "nowhere.csv")

    assert ended.code == 1
    assert "nowhere.csv" in ended.err


def test_skipped_rows_and_warnings_are_told_on_stderr_with_their_lines(commands: Commands) -> None:
    path = commands.folder / "partly.csv"
    path.write_text("question,answer\nWho?,Me\n,nobody\nWho?,You\ntoo,many,cells\n")
    ended = commands("dataset", "add", "partly \u0928", str(path))

    assert ended.code == 0
    assert ended.out.startswith("added partly \u0928 @ ")
    assert "skipped line 3: blank question" in ended.err
    assert "line 5" in ended.err
    assert "warning:" in ended.err


def test_the_same_bytes_are_the_same_version_and_new_bytes_a_new_one(commands: Commands) -> None:
    first = commands.add("versions", GOLDEN)
    again = commands.add("versions", GOLDEN)
    changed = commands.add("versions", GOLDEN + "Another?,Yes\n")
    shown = commands.json("dataset", "show", "versions")

    assert (first["created"], again["created"], changed["created"]) == (True, False, True)
    assert again["version"] == first["version"] != changed["version"]
    assert shown["versions"] == [changed["version"], first["version"]]
    assert commands.json("dataset", "show", f"versions@{first['version'][:8]}")["original_items_count"] == 3


@pytest.mark.parametrize("factor", ["0", "6", "-1"])
def test_a_duplication_factor_out_of_range_is_refused(commands: Commands, factor: str) -> None:
    ended = commands(
        "dataset", "add", "many", str(commands.folder / "golden.csv"), "--duplication-factor", factor, "--json"
    )

    assert (ended.code, ended.error_code) == (1, "invalid_duplication_factor")


def test_listing_filters_before_it_pages_and_tells_the_total(tmp_path: Path) -> None:
    commands = Commands(tmp_path, EVAL_FAST_MAX_UNIQUE_ROWS="3")
    commands.add("small 1", GOLDEN)
    commands.add("large", GOLDEN + "Another?,Yes\n")
    commands.add("small 2", GOLDEN)
    page = commands.json("dataset", "list", "--eligible-for", "fast", "--limit", "1", "--offset", "1")

    assert [dataset["name"] for dataset in page["datasets"]] == ["small 1"]
    assert page["total"] == 2
    assert "1-3 of 3; FAST: at most 3 questions" in commands("dataset", "list").out
    assert commands.json("dataset", "delete", "large", "--all", "--yes")["deleted_versions"] == 1
    assert commands.json("dataset", "list")["total"] == 2
    assert commands("dataset", "delete", "large", "--all", "--yes", "--json").error_code == "dataset_not_found"


def test_what_is_to_be_deleted_is_said_a_version_or_all(commands: Commands) -> None:
    first, second = (commands.add("vers", f"{GOLDEN}more,{number}\n")["version"] for number in range(2))

    for arguments in (("vers@",), ("vers@ ",), ("vers",), (f"vers@{first[:8]}", "--all"), ("vers@", "--all")):
        refused = commands("dataset", "delete", *arguments, "--yes", "--json")
        assert (refused.code, refused.error_code) == (1, "dataset_version_missing")
    assert commands("dataset", "delete", "vers", "--all").code == 1, "nobody says yes"
    for verb in (("dataset", "show", "vers@"), ("text", "run", "r", "--dataset", "vers@")):
        assert commands(*verb, "--json").error_code == "dataset_version_missing"
    assert commands.json("dataset", "show", "vers")["versions"] == [second, first]

    assert commands.json("dataset", "delete", f"vers@{first[:8]}")["deleted_versions"] == 1
    assert commands.json("dataset", "delete", "vers", "--all", "--yes")["deleted_versions"] == 1
