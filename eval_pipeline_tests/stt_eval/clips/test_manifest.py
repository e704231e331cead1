import doctest
from pathlib import Path
from types import ModuleType

import pytest

from eval_pipeline.core.datasets import SkippedRow
from eval_pipeline.core.errors import UsageError
from eval_pipeline.stt_eval.clips import references, samples
from eval_pipeline.stt_eval.clips.manifest import manifest_entries, open_manifest
from eval_pipeline.stt_eval.clips.manifest_row import Entry, ManifestRow
from eval_pipeline.stt_eval.clips.samples import SampleIds, id_problem


def read(folder: Path, content: str, *, name: str = "manifest.csv") -> list[Entry]:
    path = folder / name
    path.write_bytes(content.encode())
    return list(manifest_entries(open_manifest(path)))


def row(line: int, audio: str = "a.wav", *, reference: str | None = None, language: str | None = None) -> ManifestRow:
    return ManifestRow(line=line, audio=audio, reference=reference, language=language, sample_id=None, metadata={})


def reasons(entries: list[Entry]) -> list[tuple[int, str]]:
    return [(entry.line, entry.reason) for entry in entries if isinstance(entry, SkippedRow)]


@pytest.mark.parametrize("module", [references, samples])
def test_the_examples_in_the_documentation_hold(module: ModuleType) -> None:
    result = doctest.testmod(module)

    assert result.attempted
    assert not result.failed


def test_columns_that_mean_nothing_here_are_metadata(tmp_path: Path) -> None:
    entries = read(tmp_path, "ID,Audio,Reference,language,speaker\nx1, clips/a.wav ,नमस्ते,HI-in,F\n")

    assert entries == [
        ManifestRow(
            line=2,
            audio="clips/a.wav",
            reference="नमस्ते",
            language="hi-IN",
            sample_id="x1",
            metadata={"speaker": "F"},
        )
    ]


@pytest.mark.parametrize("reference", ["transcription", "sentence", "text"])
def test_columns_of_other_tools_are_understood(tmp_path: Path, reference: str) -> None:
    assert read(tmp_path, f"file_name;{reference};locale\na.wav;hello;en\n") == [
        row(2, reference="hello", language="en")
    ]


def test_our_own_name_of_a_column_wins_and_the_other_is_metadata(tmp_path: Path) -> None:
    [entry] = read(tmp_path, "audio,reference,text\na.wav,heard,seen\n")

    assert isinstance(entry, ManifestRow)
    assert (entry.reference, entry.metadata) == ("heard", {"text": "seen"})


def test_an_empty_cell_is_silence_and_a_missing_column_no_label(tmp_path: Path) -> None:
    assert read(tmp_path, "audio,reference\na.wav,\n") == [row(2, reference="")]
    assert read(tmp_path, "audio\na.wav\n") == [row(2)]


def test_a_single_clip_without_a_label_says_so_in_a_column(tmp_path: Path) -> None:
    entries = read(tmp_path, "audio,reference,labelled\na.wav,,no\nb.wav,,yes\nc.wav,x,\nd.wav,x,no\ne.wav,,maybe\n")

    assert entries[:3] == [row(2), row(3, "b.wav", reference=""), row(4, "c.wav", reference="x")]
    assert reasons(entries) == [
        (5, "it says that it is not labelled, and has a reference; remove one of them"),
        (6, "labelled is 'maybe'; write yes or no"),
    ]


def test_json_lines_tell_null_and_absent_from_empty(tmp_path: Path) -> None:
    entries = read(
        tmp_path,
        '{"audio": "a.wav"}\n{"audio": "a.wav", "reference": null, "language": null}\n'
        '{"audio": "a.wav", "reference": ""}\n'
        '{"audio": "a.wav", "reference": 250}\n{"audio": "a.wav", "reference": "", "labelled": false}\n',
        name="m.jsonl",
    )

    assert entries == [row(1), row(2), row(3, reference=""), row(4, reference="250"), row(5)]


@pytest.mark.parametrize(
    "reference",
    ["?!…", "नमस्ते hello שלום", "क्‍ष क्‌ष", "नि\u093c", "e\u0301", "  two  spaces ", "{ doctor / डॉक्टर } said", "مرحبا"],
    ids=ascii,
)
def test_references_are_kept_character_for_character(tmp_path: Path, reference: str) -> None:
    assert read(tmp_path, f"audio,reference\na.wav,{reference}\n") == [row(2, reference=reference)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a.wav", "1 cell where the header has 4"),
        ("a.wav,x,en,id,more", "5 cells where the header has 4"),
        (" ,x,en,", "it names no audio file; fill the column 'audio' or remove the row"),
        ("a.wav,x,hindi,", "'hindi' is no language code that is known here (did you mean hi (Hindi)?"),
        ("a.wav,x {,,", "character 3"),
        ("a.wav,x,en,a/b", "its id 'a/b' holds a slash or begins with a dot; choose another, or leave the cell empty"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(tmp_path: Path, line: str, reason: str) -> None:
    [(number, told)] = reasons(read(tmp_path, f"audio,reference,language,id\nok.wav,x,en,\n{line}\n"))

    assert number == 3
    assert reason in told


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"reference": "x"}', "no key 'audio' (its keys: 'reference')"),
        ('{"audio": null}', "audio is null, not text"),
        ('{"audio": "a.wav", "language": ["x"]}', "language is a list, not text"),
        ("{", "invalid JSON: Expecting property name enclosed in double quotes (column 2)"),
        ('{"audio": "a.wav", "reference": "\\u0000"}', "it holds a NUL character"),
    ],
)
def test_a_line_that_cannot_be_used_says_why(tmp_path: Path, line: str, reason: str) -> None:
    assert reasons(read(tmp_path, f'{{"audio": "ok.wav"}}\n{line}\n', name="m.jsonl")) == [(2, reason)]


def test_a_file_that_is_no_manifest_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the audio manifest cannot be used: it has no column 'audio'"):
        read(tmp_path, "clip,reference\na,b\n")


@pytest.mark.parametrize(
    ("name", "content", "reference"),
    [
        ("cv.tsv", "client_id\tpath\tsentence\tlocale\nabc\ta.wav\tयह वाक्य है\thi\n", "यह वाक्य है"),
        ("m.csv", 'audio,reference\na.wav,"[""पहला"", ""दूसरा""]"\n', "पहला दूसरा"),
        ("m.csv", "audio,reference\na.wav,\"['पहला', 'दूसरा']\"\n", "पहला दूसरा"),
        (
            "m.jsonl",
            '{"audio_filepath": "a.wav", "text": [{"start": 0, "text": "पहला"}, {"text": "दूसरा"}]}',
            "पहला दूसरा",
        ),
        ("m.csv", "audio,reference\na.wav,[हँसी] नमस्ते\n", "[हँसी] नमस्ते"),
    ],
)
def test_manifests_of_corpora_and_tools_are_read(tmp_path: Path, name: str, content: str, reference: str) -> None:
    [entry] = read(tmp_path, content, name=name)

    assert isinstance(entry, ManifestRow)
    assert (entry.audio, entry.reference) == ("a.wav", reference)


@pytest.mark.parametrize("bad", ["a/b", "a\\b", ".hidden", "two\nlines", "\u2028", "x" * 201])
def test_an_id_that_could_lead_elsewhere_is_refused(bad: str) -> None:
    assert id_problem(bad)
    assert id_problem("क-1 (final).v2") is None


def test_names_made_of_files_are_unique_and_harmless() -> None:
    ids = SampleIds(["a-2"])

    names = [ids.derive(name) for name in ("a.wav", "x/a.wav", "a.mp3", ".x", "b\n.wav", "c" * 500, "y\\z.wav")]

    assert names == ["a", "a-3", "a-4", "x", "b_", "c" * 100, "z"]
    assert not any(map(id_problem, names))
