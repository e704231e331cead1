"""Samples and what models made of them, as rows of the stages, and the figures of a run over them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from eval_pipeline.stt_eval.figures.run_figures import RunFigures
from eval_pipeline.stt_eval.scoring.scores import ScoredSample, language_of, score_sample

RUN = ("default", "first", "v1")


@dataclass(frozen=True)
class Heard:
    """What one model made of a clip; no text: it failed."""

    text: str | None
    outcome: str = "ok"
    latency_s: float | None = 1.0
    cost_usd: Decimal | None = Decimal("0.001")


FAILED = Heard(None, outcome="failed", latency_s=None, cost_usd=Decimal(0))


def sample_row(
    number: int,
    reference: str | None,
    *,
    language: str | None = "hi",
    duration_s: float | None = 4.0,
    metadata: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return a row of ``tables.DATASET`` as far as scores need it."""
    return {
        "sample_id": f"clip-{number}",
        "reference": reference,
        "language": language,
        "duration_s": duration_s,
        "metadata": json.dumps(dict(metadata or {})),
    }


def transcript_rows(sample: Mapping[str, Any], heard: Mapping[str, Heard]) -> tuple[dict[str, Any], ...]:
    """Return the rows of ``tables.TRANSCRIPTS`` of one sample, as far as scores need them."""
    return tuple(
        {
            "item_id": f"{sample['sample_id']}-m{position}",
            "sample_id": sample["sample_id"],
            "model": model,
            "status": "failed" if one.text is None else "completed",
            "outcome": one.outcome,
            "transcript": one.text,
            "latency_s": one.latency_s,
            "cost_usd": one.cost_usd,
        }
        for position, (model, one) in enumerate(heard.items(), start=1)
    )


def scored(sample: Mapping[str, Any], heard: Mapping[str, Heard], *, default: str | None = None) -> ScoredSample:
    return score_sample(sample, transcript_rows(sample, heard), language=language_of(sample, default))


def figures(
    models: Sequence[str],
    samples: Sequence[ScoredSample],
    *,
    run: Sequence[str] = RUN,
    speaker_column: str | None = None,
) -> dict[str, Any]:
    """Return a run's figures; whatever they are, they are JSON with finite numbers."""
    collected = RunFigures(models, run=run, speaker_column=speaker_column)
    for sample in samples:
        collected.add(sample)
    found = collected.as_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    return found


def of_one(samples: Sequence[tuple[str | None, str | None]], **about: Any) -> dict[str, Any]:  # noqa: ANN401 - of a row
    """Return the figures of one model over references and what it heard."""
    rows = [
        scored(sample_row(number, reference, **about), {"m": FAILED if text is None else Heard(text)})
        for number, (reference, text) in enumerate(samples)
    ]
    return figures(["m"], rows)
