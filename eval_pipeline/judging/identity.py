"""When two judgements are the same measurement: digests of everything that shapes a verdict.

A cell that exists is never paid again, so whatever may change what a judge says must be in its fingerprint.
"""

import uuid
from collections.abc import Sequence
from typing import Final

from eval_pipeline.core.configuration import canonical_sha256
from eval_pipeline.judging.cuts import CUTS_VERSION
from eval_pipeline.judging.detector import DETECTOR_VERSION
from eval_pipeline.judging.material import RENDERER_VERSION, Material
from eval_pipeline.judging.notes import NOTES_VERSION
from eval_pipeline.judging.output_schema import output_schema
from eval_pipeline.judging.panel import Expert
from eval_pipeline.judging.prompt import OUTPUT_TOKENS, PROMPT_VERSION, instructions
from eval_pipeline.judging.rubric import Axis, Rubric

NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/eval-pipeline/judgement")


def judge_fingerprint(
    expert: Expert,
    *,
    rubric: Rubric,
    axes: Sequence[Axis],
    protocol: str,
    host: str,
    structured: bool = True,
) -> str:
    """Return ``sha256:`` and the digest of all that shapes an expert's verdicts.

    Args:
        expert: its id is not part of it, nor is its weight: they change no verdict.
        rubric: of the panel; all of it is part of the prompt.
        axes: that it rates.
        protocol: of its endpoint.
        host: of its endpoint.
        structured: whether the schema goes beside the request, or is part of what is read.
    """
    document = {
        "prompt_version": PROMPT_VERSION,
        "renderer_version": RENDERER_VERSION,
        "cuts_version": CUTS_VERSION,
        "detector_version": DETECTOR_VERSION,
        "instructions": instructions(rubric),
        "prompt": expert.prompt,
        "axes": [axis.name for axis in axes],
        "schema": output_schema(axes),
        "protocol": protocol,
        "host": host,
        "model": expert.model,
        "params": {"max_output_tokens": OUTPUT_TOKENS, **expert.params},
        "structured": structured,
        "notes_version": NOTES_VERSION,
    }
    return f"sha256:{canonical_sha256(document)}"


def material_fingerprint(material: Material) -> str:
    """Return ``sha256:`` and the digest of what is judged; the nonce of a rendering is not part of it."""
    document = {
        "facts": dict(material.facts),
        "parts": [[part.message, str(part.speaker), part.head, part.text] for part in material.parts],
    }
    return f"sha256:{canonical_sha256(document)}"


def judgement_id(material: str, *, judge: str, expert_id: str, sample: int) -> uuid.UUID:
    """Return the id of one cell, from the fingerprints of its material and its judge."""
    return uuid.uuid5(NAMESPACE, f"{material}|{judge}|{expert_id}|{sample}")
