"""Speech runs from request to report over HTTP: a batch run of several models and a live one, every number checked."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline_tests.listening import FLASH, KEYS, PRO, WHISPER, Recording, Studio, recordings, studio

EXAMPLES = Path(__file__).parents[2] / "examples" / "speech"
OTHER = "openai/gpt-4o-transcribe"
MODELS = (FLASH, PRO, WHISPER, OTHER)
BATCH, LIVE = "batch-1", "live-1"
KINDS = ("substitutions", "deletions", "insertions")


def examples() -> list[Recording]:
    """Return the clips that the repository holds."""
    lines = (EXAMPLES / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    return [
        Recording(one["audio"], (EXAMPLES / one["audio"]).read_bytes(), one["reference"], one["language"])
        for one in told
    ]


CLIPS = [*examples(), *recordings(8)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """Give a home in which a batch run and a live run of the same clips and models were made."""
    with studio(tmp_path_factory.mktemp("speech"), CLIPS) as opened:
        for run, mode in ((BATCH, "batch"), (LIVE, "fast")):
            ended = opened.run("--mode", mode, models=MODELS, run=run)
            assert (ended.code, ended.document["state"]) == (0, "completed"), ended.document["error"]
        yield opened


@pytest.mark.parametrize("run", [BATCH, LIVE])
def test_every_clip_has_a_row_for_every_model(made: Studio, run: str) -> None:
    shown = made.shown(run)
    pairs = [(one["file_name"], one["model"]) for one in shown["results"]]

    assert len(CLIPS) == 17
    assert sorted(pairs) == sorted((one.name, model.removeprefix("openai/")) for one in CLIPS for model in MODELS)
    assert (shown["counts"]["total"], shown["counts"]["ok"]) == (68, 68)
    assert all(one["status"] == "completed" and one["transcript"] is not None for one in shown["results"])


@pytest.mark.parametrize("run", [BATCH, LIVE])
def test_errors_are_counted_exactly_as_they_were_planted(made: Studio, run: str) -> None:
    for model in MODELS:
        planted, counted = expected_of(made, model), counted_of(made, run, model.removeprefix("openai/"))

        assert counted == planted
        assert any(sum(errors) for errors in planted.values())


@pytest.mark.parametrize("run", [BATCH, LIVE])
def test_the_figures_of_a_model_are_the_sums_of_its_pairs(made: Studio, run: str) -> None:
    for figures in made.shown(run)["figures"]:
        model = figures["model"]
        pairs = counted_of(made, run, model)
        labelled = [one for one in CLIPS if one.reference is not None]
        edits = sum(sum(pairs[one.sha256]) for one in labelled)

        assert (figures["labelled"], figures["wer"]["samples"], figures["wer"]["edits"]) == (16, 16, edits)
        assert figures["wer"]["value"] == edits / figures["wer"]["length"]
        assert figures["wer"]["length"] > 100


def test_every_clip_is_paid_once_for_each_model(made: Studio) -> None:
    batched = made.gemini.executed()
    live = made.gemini.counts()["generate"]["billed"]
    other = made.openai.counts()["transcriptions"]["billed"]

    assert batched == {f"s{sample:06d}m{model:02d}": 1 for sample in range(1, 18) for model in (1, 2)}
    assert set(live.values()) == {2}, "two models of one run"
    assert set(other.values()) == {4}, "two models of two runs"
    assert len(live) == len(other) == 17


def test_clips_are_uploaded_once_for_all_models_and_deleted_after_they_were_collected(made: Studio) -> None:
    uploads = made.gemini.counts()["files.upload"]["asked"]

    audio = {name: count for name, count in uploads.items() if not name.endswith(".jsonl")}

    assert (len(audio), set(audio.values())) == (len(CLIPS), {1})
    assert made.gemini.clips() == []


def test_batch_and_live_hear_the_same(made: Studio) -> None:
    def told(run: str) -> Mapping[tuple[str, str], Any]:
        return {pair: one["transcript"] for pair, one in made.pairs(run).items()}

    assert told(BATCH) == told(LIVE)


def test_no_key_is_stored_anywhere(made: Studio) -> None:
    stored = list(made.commands.everything_stored())
    found = [(path, key) for path, content in stored for key in KEYS.values() if key.encode() in content]

    assert found == []
    assert len(stored) > 50


def expected_of(made: Studio, model: str) -> dict[str, Sequence[int]]:
    """Return the errors that a model plants into every clip whose reference is known."""
    name = model.removeprefix("openai/")
    return {sha: [entry[kind] for kind in KINDS] for sha, entry in made.gemini.planted(name).items()}


def counted_of(made: Studio, run: str, model: str) -> dict[str, Sequence[int]]:
    """Return the errors that were counted in every clip with a reference."""
    return {
        made.known[file].sha256: [one["scores"]["standard"][kind] for kind in KINDS]
        for (file, its), one in made.pairs(run).items()
        if its == model and one["scores"]["standard"]["unscored_reason"] is None
    }
