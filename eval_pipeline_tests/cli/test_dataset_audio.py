"""``dataset add --kind stt`` and what is shown of audio datasets."""

from pathlib import Path

from eval_pipeline_tests.cli.conftest import GOLDEN
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.stt_eval.recordings import encoded

MANIFEST = Path(__file__).parents[2] / "examples" / "speech" / "manifest.jsonl"


def test_a_manifest_becomes_a_dataset_that_tells_what_it_holds(commands: Commands) -> None:
    ended = commands("dataset", "add", "speech", str(MANIFEST), "--kind", "stt", "--description", "nine clips")
    shown = commands("dataset", "show", "speech")
    facts = (
        "0:00:58 of sound in 9 clips, 2,444,938 bytes\n"
        "8 labelled (1 as silence), 1 unlabelled\n"
        "languages en 8, hi 1; formats flac 2, mp3 1, wav 6\n"
    )

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("added speech @ ")
    assert ended.out.endswith(f": 9 samples\n{facts}")
    assert facts in shown.out
    assert "nine clips" in shown.out


def test_json_tells_the_same(commands: Commands) -> None:
    added = commands.json("dataset", "add", "speech in json", str(MANIFEST), "--kind", "stt")
    shown = commands.json("dataset", "show", "speech in json")

    assert (added["kind"], added["created"], added["original_items_count"]) == ("stt", True, 9)
    assert added["audio"] == shown["audio"]
    assert shown["audio"]["languages"] == {"en": 8, "hi": 1}
    assert (shown["audio"]["labelled"], shown["audio"]["unlabelled"], shown["audio"]["silent"]) == (8, 1, 1)


def test_listings_can_be_of_one_kind(tmp_path: Path) -> None:
    commands = Commands(tmp_path)
    commands.add("questions", GOLDEN)
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a.wav").write_bytes(encoded("WAV"))
    commands.json("dataset", "add", "clips", str(tmp_path / "clips"), "--kind", "stt", "--language", "hi")

    def names(*options: str) -> list[str]:
        return [dataset["name"] for dataset in commands.json("dataset", "list", *options)["datasets"]]

    assert names() == ["clips", "questions"]
    assert names("--kind", "stt") == ["clips"]
    assert names("--kind", "text") == ["questions"]
    assert names("--eligible-for", "fast") == ["questions"]
    assert commands.json("dataset", "delete", "clips", "--all", "--yes")["deleted_versions"] == 1
    assert names("--kind", "stt") == []


def test_problems_are_told_in_lines_of_their_own(commands: Commands) -> None:
    path = commands.folder / "bad.csv"
    path.write_text("audio,reference\nabsent.wav,x\nalso absent.wav,y\n")
    ended = commands("dataset", "add", "bad", str(path), "--kind", "stt")

    assert ended.code == 1
    assert "\n  line 2, 'absent.wav': there is no file" in ended.err
    assert "\n  line 3, 'also absent.wav': there is no file" in ended.err
    assert commands("dataset", "show", "bad", "--json").error_code == "dataset_not_found"


def test_options_of_the_other_kind_are_refused(commands: Commands) -> None:
    factor = commands("dataset", "add", "x", str(MANIFEST), "--kind", "stt", "--duplication-factor", "2")
    language = commands("dataset", "add", "x", str(commands.folder / "golden.csv"), "--language", "hi")

    assert (factor.code, language.code) == (2, 2)
    assert "--duplication-factor means nothing for a dataset of kind stt" in factor.err
    assert "--language means nothing for a dataset of kind text" in language.err


def test_text_runs_do_not_take_audio(commands: Commands) -> None:
    commands("dataset", "add", "only audio", str(MANIFEST), "--kind", "stt")
    ended = commands("text", "run", "r1", "--dataset", "only audio", "--mode", "fast", "--model", "m", "--json")

    assert ended.error_code == "config_type_unsupported"
