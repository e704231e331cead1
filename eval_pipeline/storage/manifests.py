"""A manifest as JSON, signed by its own sha256: what is written last and alone is trusted."""

import json
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import file_digest, sha256
from pathlib import Path

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import UnavailableError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import Manifest, Part, StageRef


def signed(manifest: Manifest) -> Manifest:
    """Return the manifest as a reader will see it, with the sha256 of its canonical JSON."""
    fields = json.loads(json.dumps(_to_json(manifest), allow_nan=False))
    return replace(_from_json(fields), sha256=_sha256(fields))


def encode_manifest(manifest: Manifest) -> bytes:
    """Write a signed manifest for machines and for people at night."""
    fields = _to_json(manifest) | {"sha256": manifest.sha256}
    return json.dumps(fields, indent=1, allow_nan=False).encode() + b"\n"


def decode_manifest(data: bytes, *, ref: StageRef, url: str) -> Manifest:
    """Read a manifest, or raise ``stage_damaged`` when it is not what was written for this stage."""
    try:
        fields = json.loads(data)
        claimed = fields.pop("sha256")
        manifest = replace(_from_json(fields), sha256=claimed)
        found = _sha256(fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise stage_damaged(ref, what=f"its manifest {url} cannot be read ({type(error).__name__}: {error})") from error
    if claimed != found:
        raise stage_damaged(ref, what=f"its manifest {url} was changed after it was written (its sha256 differs)")
    if manifest.stage != ref:
        raise stage_damaged(ref, what=f"its manifest {url} belongs to {manifest.stage}")
    return manifest


def stage_damaged(ref: StageRef, *, what: str) -> UnavailableError:
    """Build the error of a stage whose files are not what its manifest promises."""
    return UnavailableError(
        f"{ref} is damaged: {what}",
        code="stage_damaged",
        hint=f"materialize {ref.flow}/{ref.stage} again for partition {ref.key.partition}",
    )


def sha256_of(path: Path) -> str:
    """Return what a manifest tells of a part's bytes."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _sha256(fields: Json) -> str:
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(canonical.encode()).hexdigest()


def _to_json(manifest: Manifest) -> JsonDict:
    return {
        "flow": str(manifest.stage.flow),
        "project": manifest.stage.key.project,
        "run": manifest.stage.key.run,
        "stage": manifest.stage.stage,
        "attempt": manifest.attempt,
        "parts": [asdict(part) for part in manifest.parts],
        "rows": manifest.rows,
        "columns": dict(manifest.columns),
        "schema_version": manifest.schema_version,
        "spec_hash": manifest.spec_hash,
        "code_version": manifest.code_version,
        "created_at": manifest.created_at.isoformat(),
        "summary": dict(manifest.summary),
        "inputs": dict(manifest.inputs),
        "contents": dict(manifest.contents),
    }


def _from_json(fields: Json) -> Manifest:
    key = RunKey(project=fields["project"], run=fields["run"])
    return Manifest(
        stage=StageRef(flow=Flow(fields["flow"]), key=key, stage=fields["stage"]),
        attempt=fields["attempt"],
        parts=tuple(Part(**part) for part in fields["parts"]),
        rows=fields["rows"],
        columns=fields["columns"],
        schema_version=fields["schema_version"],
        spec_hash=fields["spec_hash"],
        code_version=fields["code_version"],
        created_at=datetime.fromisoformat(fields["created_at"]),
        summary=fields["summary"],
        inputs=fields["inputs"],
        sha256="",
        contents=fields["contents"] if "contents" in fields else _contents_of_before(fields),
    )


def _contents_of_before(fields: Json) -> dict[str, str]:
    """Read what manifests told of their inputs' contents before they named them all: one, somewhere in the summary.

    Batches named what their requests were made from, everything else the answers.
    """
    summary, inputs = fields["summary"], fields["inputs"]
    told = {"made_from": ("responses", "dataset"), "responses_content_sha256": ("responses", "transcripts")}
    for fact, stages in told.items():
        if fact in summary:
            return {stage: summary[fact] for stage in stages if stage in inputs}
    return {}
