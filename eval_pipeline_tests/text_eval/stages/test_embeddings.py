"""No text is embedded twice, whatever interrupts the stage."""

import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from eval_pipeline.core.runs import RunState
from eval_pipeline_tests.laboratory import FAST, Laboratory, Stop, open_deployment

LONG = "word " * 3_200
"""As many characters as one call may bring forty of."""


@pytest.fixture(scope="module")
def large(shared_laboratory: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """The laboratory with a dataset whose texts need several embedding calls."""
    rows = "".join(f"Question {number}?,{number} {LONG}\n" for number in range(90))
    shared_laboratory.add_golden(tmp_path_factory.mktemp("golden"), f"question,answer\n{rows}", name="large")
    return shared_laboratory


def test_a_killed_stage_embeds_only_what_is_missing(large: Laboratory, lab: Laboratory) -> None:
    limits = {"EVAL_FAST_MAX_UNIQUE_ROWS": "100", "EVAL_FAST_MAX_FILE_BYTES": "10000000"}
    roomy = open_deployment(lab.deployment.home, lab.provider, **limits)
    config = {**FAST, "dataset": "large", "concurrency": 90, "embedding_model": "text-embedding-ada-002"}
    stop = Stop("embeddings", after=1, error=DagsterExecutionInterruptedError())
    lab.materialize("killed", config=config, progress=stop, deployment=roomy)
    first = lab.provider.embeddings.requests
    assert lab.state("killed") is RunState.INTERRUPTED

    made = lab.materialize("killed", deployment=roomy)

    assert made.success
    assert first >= 1
    assert made.metadata("embeddings")["calls"] >= 1
    stored = [line for line in lab.journal("killed", "embeddings").entries() if b'"vector"' in line]
    digests = [line[: line.index(b'"vector"')] for line in stored]
    assert len(digests) == len(set(digests)) == made.metadata("embeddings")["texts"]
    assert lab.state("killed") is RunState.COMPLETED


def test_equal_texts_are_embedded_once(lab: Laboratory) -> None:
    made = lab.materialize("deduplicated", config={**FAST, "repeats": 3})

    assert set(lab.provider.embeddings.asked.values()) == {1}
    assert made.metadata("embeddings")["texts"] == lab.provider.embeddings.inputs == 6


def test_shorter_vectors_are_asked_for_and_stored(lab: Laboratory) -> None:
    made = lab.materialize("short", config={**FAST, "embedding_dimensions": 256})

    assert made.metadata("embeddings")["dimensions"] == 256
    row = next(iter(lab.stored("short", "embeddings").rows()))
    assert len(row["answer_vector"]) == len(row["golden_vector"]) == 256 * 4
