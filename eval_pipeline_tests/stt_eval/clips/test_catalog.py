import hashlib
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval_pipeline.core.datasets import DatasetKind
from eval_pipeline.core.errors import ConflictError, NotFoundError, UnavailableError, UsageError
from eval_pipeline.runs.stored_versions import checked_copy
from eval_pipeline.storage.ledger import SqlLedger, open_sqlite_ledger
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.stt_eval.clips.catalog import add_audio_dataset
from eval_pipeline.stt_eval.clips.store import audio_samples
from eval_pipeline.stt_eval.clips.stored_manifest import require_audio_manifest
from eval_pipeline_tests.ledgers import make_ledger
from eval_pipeline_tests.stt_eval.audio_bench import AudioBench
from eval_pipeline_tests.stt_eval.recordings import contained, encoded

EXAMPLES = Path(__file__).parents[3] / "examples" / "speech"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[SqlLedger]:
    opened = open_sqlite_ledger(make_ledger(tmp_path / "ledger.sqlite"))
    yield opened
    opened.close()


@pytest.fixture
def bench(tmp_path: Path, ledger: SqlLedger) -> AudioBench:
    return AudioBench(tmp_path / "given", ledger=ledger, objects=LocalObjectStore(tmp_path / "store"))


def test_the_examples_become_samples_with_everything_that_is_known_of_them(bench: AudioBench) -> None:
    added = bench.add(EXAMPLES / "manifest.jsonl", language=None)
    samples = {sample.sample_id: sample for sample in bench.samples(added)}
    hindi, silence = samples["fleurs_hi"], samples["leopard_empty"]

    assert (added.created, added.dataset.kind, added.dataset.original_items_count) == (True, DatasetKind.STT, 9)
    assert added.dataset.warnings == ()
    assert (hindi.reference, hindi.language, hindi.duration_s, hindi.mime) == (None, "hi", 12.504, "audio/wav")
    assert (silence.reference, silence.language) == ("", "en")
    assert samples["azure_weather"].metadata["licence"] == "repo MIT"
    assert samples["azure_weather-2"].file_name == "azure_weather.mp3"
    assert (samples["jfk"].sample_rate_hz, samples["jfk"].channels, samples["jfk"].size_bytes) == (44_100, 2, 1_152_693)


def test_every_clip_can_be_had_as_a_file_with_the_bytes_that_were_given(bench: AudioBench) -> None:
    added = bench.add(EXAMPLES / "manifest.jsonl")
    for sample in bench.samples(added):
        with checked_copy(bench.objects, sample.audio_key, sha256=sample.audio_sha256) as path:
            assert path.read_bytes() == (EXAMPLES / sample.file_name).read_bytes()
        assert sample.audio_sha256 == hashlib.sha256((EXAMPLES / sample.file_name).read_bytes()).hexdigest()
        assert sample.audio_key.endswith(f"/audio/{sample.audio_sha256}.{sample.format}")


def test_a_folder_is_read_with_its_transcripts(bench: AudioBench) -> None:
    for seconds, name in enumerate(("b.wav", "a.wav", "inner/c.wav", ".hidden/d.wav", ".e.wav"), start=1):
        bench.clip(name, seconds=seconds / 10)
    bench.file("a.txt", "नमस्ते\r\n")
    bench.file("inner/c.TXT", b"")
    bench.file("orphan.txt", "x")
    bench.file("notes.pdf", b"%PDF-1.7\n")
    added = bench.add()

    assert [(sample.file_name, sample.reference, sample.line) for sample in bench.samples(added)] == [
        ("a.wav", "नमस्ते", None),
        ("b.wav", None, None),
        ("inner/c.wav", "", None),
    ]
    assert added.dataset.warnings == (
        "1 transcript belongs to no clip: 'orphan.txt'",
        "1 file is no audio: 'notes.pdf'",
    )


def test_a_clip_is_taken_whatever_its_name(bench: AudioBench) -> None:
    bench.clip("recording", seconds=0.1)
    bench.clip("wrong.mp3", seconds=0.2)

    assert [(sample.file_name, str(sample.format)) for sample in bench.samples(bench.add())] == [
        ("recording", "wav"),
        ("wrong.mp3", "wav"),
    ]


@pytest.mark.parametrize("name", ["manifest.csv", "metadata.csv"])
def test_a_folder_with_a_manifest_is_read_by_it(bench: AudioBench, name: str) -> None:
    bench.clip("a.wav")
    bench.clip("not named.wav", seconds=0.2)
    bench.file(name, "file_name,text\na.wav,hello\n")

    assert [(sample.line, sample.reference) for sample in bench.samples(bench.add())] == [(2, "hello")]


def test_two_manifests_in_a_folder_are_one_too_many(bench: AudioBench) -> None:
    bench.file("manifest.csv", "audio\na.wav\n")
    bench.file("metadata.csv", "audio\na.wav\n")

    assert "holds manifest.csv and metadata.csv" in bench.refusal()


def test_the_same_samples_are_the_same_version_wherever_they_come_from(bench: AudioBench, tmp_path: Path) -> None:
    bench.clip("a.wav")
    bench.file("a.txt", "hello\n")
    first = bench.add()
    again = bench.add()
    bench.file("list.jsonl", '{"reference": "hello", "language": "hi", "audio": "a.wav"}')
    listed = bench.add(bench.folder / "list.jsonl", language=None)

    assert (first.created, again.created, listed.created) == (True, False, False)
    assert first.dataset == again.dataset == listed.dataset


def test_another_reference_is_another_version_and_its_clips_are_not_stored_again(bench: AudioBench) -> None:
    bench.clip("a.wav")
    bench.file("m.csv", "audio,reference\na.wav,hello\n")
    first = bench.add(bench.folder / "m.csv")
    bench.file("m.csv", "audio,reference\na.wav,hallo\n")
    second = bench.add(bench.folder / "m.csv")

    assert second.created
    assert first.dataset.version != second.dataset.version
    assert [sample.reference for sample in bench.samples(first)] == ["hello"]
    assert sum(name.endswith(".wav") for name in bench.stored()) == 1
    assert sum(name == "manifest.json" for name in bench.stored()) == 2


def test_clips_with_the_same_bytes_are_stored_once(bench: AudioBench) -> None:
    bench.clip("a.wav")
    bench.clip("copy of a.wav")
    bench.file("m.csv", "audio,reference\na.wav,one\ncopy of a.wav,two\n")
    added = bench.add(bench.folder / "m.csv")

    assert len({sample.audio_key for sample in bench.samples(added)}) == 1
    assert require_audio_manifest(bench.objects, added.dataset).clips == 1
    assert added.dataset.size_bytes == (bench.folder / "a.wav").stat().st_size
    assert added.dataset.warnings == (
        "1 sample shares its sound with another one: line 3, 'copy of a.wav' as line 2, 'a.wav'",
    )


def test_every_problem_is_told_at_once_with_line_file_and_remedy(bench: AudioBench) -> None:
    bench.clip("ok.wav", seconds=0.3)
    bench.clip("same.wav", seconds=0.4)
    bench.file("text.wav", "hello")
    bench.file("empty.wav", b"")
    bench.clip("large.wav", seconds=1)
    bench.file("mute.mp4", contained("mp4", pictures="mpeg4"))
    bench.file("cut.mp3", encoded("MP3")[:90])
    (bench.folder / "folder.wav").mkdir()
    rows = ["ok", "absent", "text", "empty", "large", "folder", "same", "same", "ok"]
    lines = [f"{name}.wav,x,{'i7' if name == 'ok' else ''}" for name in rows]
    manifest = bench.file("m.csv", "\n".join(["audio,reference,id", *lines, "mute.mp4,,", "cut.mp3,,", ",x,"]))
    message = bench.refusal(manifest, EVAL_STT_MAX_AUDIO_BYTES="20000")
    told = [line.strip().partition(": ") for line in message.splitlines()[1:]]

    assert message.startswith("nothing was added: 9 samples cannot be used:\n")
    assert [place for place, _, _ in told] == [
        "line 3, 'absent.wav'",
        "line 4, 'text.wav'",
        "line 5, 'empty.wav'",
        "line 6, 'large.wav'",
        "line 7, 'folder.wav'",
        "line 10, 'ok.wav'",
        "line 11, 'mute.mp4'",
        "line 12, 'cut.mp3'",
        "line 13",
    ]
    texts = [text for _, _, text in told]
    assert texts[0].startswith("there is no file ")
    assert texts[3] == (
        "it has 32,044 bytes, more than the 20,000 that are allowed; "
        "compress or cut it, or raise EVAL_STT_MAX_AUDIO_BYTES"
    )
    assert texts[5] == "its id 'i7' is also that of line 2; give each sample its own"
    assert not any(name.endswith("manifest.json") for name in bench.stored())


def test_a_clip_that_lasts_longer_than_is_allowed_is_refused_with_its_line_and_the_setting(bench: AudioBench) -> None:
    bench.clip("short.wav", seconds=0.5)
    bench.clip("long.wav", seconds=2.5)
    bench.file("manifest.jsonl", '{"audio": "short.wav"}\n{"audio": "long.wav"}\n')

    said = bench.refusal(EVAL_STT_MAX_AUDIO_SECONDS="2")

    assert "long.wav" in said
    assert "it lasts longer than the 2 s that are allowed" in said
    assert "EVAL_STT_MAX_AUDIO_SECONDS" in said
    assert "short.wav" not in said
    assert bench.add(EVAL_STT_MAX_AUDIO_SECONDS="3").dataset.original_items_count == 2


def test_what_is_odd_about_references_is_told(bench: AudioBench) -> None:
    for number, name in enumerate("abcdefg", start=1):
        bench.clip(f"{name}.wav", seconds=number / 10)
    rows = ["a,[अस्पष्ट]", "b,...", "c,nan", "d,???? ?? ???", "e,नमस्ते", "f,हाँ", "e,नमस्ते", "g,[noise] [inaudible]"]
    manifest = bench.file("m.csv", "\n".join(["audio,reference", *(row.replace(",", ".wav,", 1) for row in rows)]))

    added = bench.add(manifest)
    warnings = "\n".join(added.dataset.warnings)

    assert added.dataset.original_items_count == 7
    for told in (
        "1 clip is there twice with the same reference and language, and taken once: line 8, 'e.wav' as line 6",
        "2 references say that nobody understood what was said, and cannot be scored against: line 2, 'a.wav' (",
        "1 reference with no word, and taken for silence: line 3, 'b.wav' (",
        "1 reference holds question marks for letters, as text that was saved in an encoding without them: line 5, ",
        "1 reference holds what programs write for nothing (such as nan or null), and cannot be scored ",
    ):
        assert told in warnings


def test_references_that_are_mostly_damaged_are_refused(bench: AudioBench) -> None:
    for number, name in enumerate("abcd", start=1):
        bench.clip(f"{name}.wav", seconds=number / 10)
    manifest = bench.file("m.csv", "audio,reference\na.wav,????\nb.wav,?? ???\nc.wav,#NAME?\nd.wav,हाँ\n")

    assert "of the references, most of it is damaged, 3 of 4: " in bench.refusal(manifest)


def test_the_first_of_many_problems_are_shown_and_all_counted(bench: AudioBench) -> None:
    manifest = bench.file("m.csv", "audio\n" + "".join(f"{number}.wav\n" for number in range(500)))
    message = bench.refusal(manifest)

    assert message.startswith("nothing was added: 500 samples cannot be used:")
    assert message.endswith("… and 480 more")
    assert len(message.splitlines()) == 22


@pytest.mark.parametrize(("first", "stored"), [("a.wav,hindi", 0), ("absent.wav,hi", 20)])
def test_once_something_is_wrong_no_more_is_stored(bench: AudioBench, first: str, stored: int) -> None:
    for number in range(1, 41):
        bench.clip(f"{number}.wav", seconds=number / 50)
    rows = "".join(f"{number}.wav,hi\n" for number in range(1, 41))
    bench.refusal(bench.file("m.csv", f"audio,language\n{first}\n{rows}"))

    assert len(bench.stored()) <= stored


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("audio,reference\n", "nothing was added: the manifest has no row"),
        ("", "the audio manifest cannot be used: it is empty"),
        ("question,answer\nq,a\n", "the audio manifest cannot be used: it has no column 'audio'"),
        (encoded("WAV"), "the audio manifest cannot be used: it looks like a sound file"),
    ],
)
def test_what_is_no_manifest_is_refused(bench: AudioBench, content: bytes | str, problem: str) -> None:
    assert bench.refusal(bench.file("m.csv", content)).startswith(problem)


def test_a_folder_without_clips_and_a_path_to_nothing_are_told_apart(bench: AudioBench) -> None:
    assert "holds no file" in bench.refusal()
    bench.file("notes.md", "# notes")
    assert "none of the files is audio" in bench.refusal()
    assert "cannot read" in bench.refusal(bench.folder / "nowhere.csv")


def test_what_is_called_like_a_clip_in_a_folder_must_be_one(bench: AudioBench) -> None:
    bench.clip("a.wav")
    bench.file("text.wav", "hello")

    assert "'text.wav': it is not audio but text" in bench.refusal()


def test_a_transcript_that_is_no_utf8_is_told(bench: AudioBench) -> None:
    bench.clip("a.wav")
    bench.file("a.txt", "café".encode("cp1252"))

    assert "'a.txt': the transcript cannot be used: it is no valid UTF-8" in bench.refusal()


def test_a_manifest_of_this_machine_may_name_files_anywhere(bench: AudioBench, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.wav"
    elsewhere.write_bytes(encoded("WAV", seconds=0.2))
    bench.clip("inner/a.wav")
    manifest = bench.file("inner/m.csv", f"audio,reference\na.wav,1\n../../elsewhere.wav,2\n{elsewhere},3\n")

    assert [sample.file_name for sample in bench.samples(bench.add(manifest))] == [
        "a.wav",
        "../../elsewhere.wav",
        "elsewhere.wav",
    ]


def test_a_name_is_found_however_its_letters_are_composed(bench: AudioBench) -> None:
    bench.clip(unicodedata.normalize("NFD", "é.wav"))
    manifest = bench.file("m.csv", unicodedata.normalize("NFC", "audio\né.wav\n"))

    assert len(bench.samples(bench.add(manifest))) == 1


def test_untrusted_names_are_shown_escaped(bench: AudioBench) -> None:
    bench.file("evil\x1b[31m\u202e.wav", "no sound")

    assert r"'evil\x1b[31m\u202e.wav'" in bench.refusal()


def test_a_name_of_a_megabyte_is_refused_in_a_few_words(bench: AudioBench) -> None:
    message = bench.refusal(bench.file("m.csv", f"audio\n{'x' * 1_000_000}.wav\n"))

    assert "this can be no file (File name too long); correct its path" in message
    assert len(message) < 500


def test_a_name_that_is_no_utf8_is_told(bench: AudioBench) -> None:
    path = os.fsencode(bench.folder) + b"/caf\xe9.wav"
    Path(os.fsdecode(path)).write_bytes(encoded("WAV"))

    assert "its name is no valid UTF-8; rename it" in bench.refusal()


def test_samples_without_a_language_are_a_warning_and_a_wrong_default_an_error(bench: AudioBench) -> None:
    bench.clip("a.wav")

    assert bench.add(language=None).dataset.warnings == (
        "1 sample has no language, models will guess: --language sets it",
    )
    with pytest.raises(UsageError) as caught:
        bench.add(language="hindi")
    assert caught.value.code == "unknown_language"


def test_a_clip_that_ends_early_is_taken_with_a_warning_that_names_it(bench: AudioBench) -> None:
    bench.file("a.wav", encoded("WAV")[:16_044])

    assert bench.add().dataset.warnings == (
        "1 clip has warnings: 'a.wav': it ends early, after 0.50 s: its header promises more",
    )


def test_deleted_versions_can_be_added_again(bench: AudioBench) -> None:
    bench.clip("a.wav")
    bench.add()
    bench.ledger.delete_dataset(project="default", name="clips", version=None)

    assert bench.add().created


def test_damaged_clips_and_samples_are_noticed(bench: AudioBench) -> None:
    bench.clip("a.wav")
    added = bench.add()
    [sample] = bench.samples(added)
    bench.objects.put(sample.audio_key, b"other")
    manifest = require_audio_manifest(bench.objects, added.dataset)
    bench.objects.put(f"{added.dataset.prefix}/{manifest.samples_file}", b"other")

    clip = checked_copy(bench.objects, sample.audio_key, sha256=sample.audio_sha256)
    for read in (clip.__enter__, lambda: bench.samples(added)):
        with pytest.raises(ConflictError) as caught:
            read()
        assert caught.value.code == "dataset_damaged"


def test_a_store_that_has_lost_the_samples_is_told(bench: AudioBench) -> None:
    bench.clip("a.wav")
    added = bench.add()
    bench.objects.delete(f"{added.dataset.prefix}/manifest.json")

    with pytest.raises(NotFoundError) as caught:
        next(audio_samples(bench.objects, added.dataset))
    assert caught.value.code == "dataset_missing"


KILLED = """
import os, sys
from eval_pipeline.storage.ledger import open_sqlite_ledger
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline.stt_eval.clips.catalog import add_audio_dataset
from eval_pipeline.wiring.settings import Settings

ledger, store, source, at = sys.argv[1:]

class Dying(LocalObjectStore):
    def put_file(self, key, path):
        super().put_file(key, path)
        if at in key:
            os._exit(9)
    def create(self, key, data):
        super().create(key, data)
        if at in key:
            os._exit(9)

from pathlib import Path
add_audio_dataset(
    ledger=open_sqlite_ledger(Path(ledger)), objects=Dying(Path(store)), project="default", name="clips", source=source,
    language="hi", description=None, settings=Settings.from_environment({}), s3_client=None,
)
"""


@pytest.mark.parametrize("at", ["/audio/", "samples-", "manifest.json"])
def test_whoever_is_killed_leaves_nothing_visible_and_can_add_again(bench: AudioBench, tmp_path: Path, at: str) -> None:
    bench.clip("a.wav")
    bench.clip("b.wav", seconds=0.2)
    arguments = [str(tmp_path / "ledger.sqlite"), str(tmp_path / "store"), str(bench.folder), at]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)

    assert ended.returncode == 9
    with pytest.raises(NotFoundError):
        bench.ledger.find_dataset(project="default", name="clips")
    assert len(bench.samples(bench.add())) == 2


def test_a_store_that_fails_in_the_middle_leaves_nothing_visible(bench: AudioBench) -> None:
    class Full(LocalObjectStore):
        def put_file(self, key: str, path: Path) -> None:
            raise UnavailableError(f"no room for {key} from {path}", code="store_unavailable", hint="free space")

    for number in range(1, 30):
        bench.clip(f"{number}.wav", seconds=number / 100)
    bench.objects = Full(bench.folder.parent / "full")

    with pytest.raises(UnavailableError, match="no room"):
        bench.add()
    with pytest.raises(NotFoundError):
        bench.ledger.find_dataset(project="default", name="clips")


def test_the_order_of_samples_is_that_of_the_manifest_however_many_are_taken_in_at_once(bench: AudioBench) -> None:
    for number in range(1, 41):
        bench.clip(f"{number}.wav", seconds=(41 - number) / 50)
    manifest = bench.file("m.csv", "audio\n" + "".join(f"{number}.wav\n" for number in range(1, 41)))

    assert [sample.sample_id for sample in bench.samples(bench.add(manifest))] == [str(n) for n in range(1, 41)]


def test_names_of_datasets_and_projects_are_checked_before_anything_is_read(bench: AudioBench) -> None:
    with pytest.raises(UsageError) as caught:
        add_audio_dataset(
            ledger=bench.ledger,
            objects=bench.objects,
            project="default",
            name="a/b",
            source="nowhere",
            language=None,
            description=None,
            settings=None,  # type: ignore[arg-type] # not reached
            s3_client=bench.s3_client,
        )
    assert caught.value.code == "invalid_dataset_name"
