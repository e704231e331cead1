"""Scoring against references that were corrected since, over a stored run and a dataset with two versions."""

from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from eval_pipeline.stt_eval.corrected_references import CorrectedSamples

ROWS = [
    {"sample_id": "a", "audio_sha256": "1", "reference": "एक", "metadata": "{}"},
    {"sample_id": "b", "audio_sha256": "2", "reference": "दो", "metadata": "{}"},
]


def dataset() -> Any:  # noqa: ANN401 - stands for a stage
    def rows(columns: Sequence[str] | None = None) -> Iterator[Mapping[str, Any]]:
        for row in ROWS:
            yield {name: row[name] for name in columns or row}

    return SimpleNamespace(rows=rows)


def test_samples_have_the_corrected_reference_and_the_others_their_own() -> None:
    corrected = CorrectedSamples(dataset(), {"a": "तीन"})

    assert [row["reference"] for row in corrected.rows()] == ["तीन", "दो"]
    assert list(corrected.rows(("sample_id",))) == [{"sample_id": "a"}, {"sample_id": "b"}]


def test_a_reference_can_be_taken_away() -> None:
    assert [row["reference"] for row in CorrectedSamples(dataset(), {"b": None}).rows()] == ["एक", None]
