"""One rule of what is out of date, for every place that reads a run's stages."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import Manifest, StageRef
from eval_pipeline.runs.stored_run import StoredRun, check_made_from
from eval_pipeline.storage.manifests import decode_manifest, encode_manifest, signed
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.ledgers import home_with_ledger
from eval_pipeline_tests.storage.records import KEY, a_run
from eval_pipeline_tests.storage.writing import some_rows, write_stage


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with closing(Deployment(environ={"EVAL_PIPELINE_HOME": str(home_with_ledger(tmp_path / "home"))})) as opened:
        yield opened


def ref_of(stage: str) -> StageRef:
    return StageRef(flow=Flow.TEXT, key=KEY, stage=stage)


def make(
    deployment: Deployment,
    stage: str,
    *,
    rows: int = 3,
    inputs: Sequence[str] = (),
    **summary: Any,  # noqa: ANN401 - JSON
) -> StageReader:
    """Make a stage of so many rows from what there is."""
    found = deployment.stages.find(ref_of(stage))
    read = {name: deployment.stages.open(ref_of(name)).manifest for name in inputs}
    attempt = 1 if found is None else found.manifest.attempt + 1
    write_stage(deployment.objects, some_rows(rows), ref=ref_of(stage), attempt=attempt, inputs=read, summary=summary)
    return deployment.stages.open(ref_of(stage))


def stored(deployment: Deployment) -> StoredRun:
    return StoredRun(deployment, a_run())


def test_what_was_made_again_with_the_same_outcome_leaves_everything_in_force(deployment: Deployment) -> None:
    make(deployment, "responses")
    scores = make(deployment, "scores", inputs=["responses"], summary_scores=[1])

    again = make(deployment, "responses")

    assert scores.manifest.inputs["responses"] != again.manifest.sha256
    check_made_from(scores, again)
    assert stored(deployment).open("scores").manifest == scores.manifest
    assert stored(deployment).fact("scores", "summary_scores") == [1]


@pytest.mark.parametrize("changed", ["responses", "embeddings"])
def test_what_was_made_from_other_answers_or_vectors_does_not_count(deployment: Deployment, changed: str) -> None:
    make(deployment, "responses")
    make(deployment, "embeddings", inputs=["responses"])
    scores = make(deployment, "scores", inputs=["responses", "embeddings"])

    other = make(deployment, changed, rows=4, inputs=["responses"] if changed == "embeddings" else [])

    assert stored(deployment).find("scores") is None
    assert stored(deployment).fact("scores", "counts") is None
    for refused in (lambda: stored(deployment).open("scores"), lambda: check_made_from(scores, other)):
        with pytest.raises(ConflictError, match=f"made from other {changed}") as raised:
            refused()
        assert raised.value.code == "stages_do_not_match"
        assert "materialize scores" in raised.value.hint


@pytest.mark.parametrize(("upstream", "fact"), [("responses", "responses_content_sha256"), ("dataset", "made_from")])
def test_what_earlier_versions_wrote_is_judged_by_the_digest_in_its_summary(
    deployment: Deployment, upstream: str, fact: str
) -> None:
    made_from = make(deployment, upstream).manifest
    facts: Mapping[str, str] = {fact: made_from.content_sha256}
    made = make(deployment, "scores", inputs=[upstream], **facts).manifest
    earlier = _as_written_before(deployment, signed(replace(made, contents={})))
    assert earlier.contents == {upstream: made_from.content_sha256}

    assert earlier.was_made_from(make(deployment, upstream).manifest)
    assert not earlier.was_made_from(make(deployment, upstream, rows=4).manifest)


def _as_written_before(deployment: Deployment, manifest: Manifest) -> Manifest:
    """Store a manifest without the field that earlier versions did not know, and read it."""
    fields = json.loads(encode_manifest(manifest))
    del fields["contents"], fields["sha256"]
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    fields["sha256"] = sha256(canonical.encode()).hexdigest()
    return decode_manifest(json.dumps(fields).encode(), ref=manifest.stage, url="here")
