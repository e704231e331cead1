"""Speech runs to report on: samples in memory, scored by the real functions."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from eval_pipeline.core.cost import NOTHING, Costs
from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunMode, RunRecord, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.reporting.provenance import StageFact
from eval_pipeline.stt_eval import tables
from eval_pipeline.stt_eval.figures.run_figures import RunFigures
from eval_pipeline.stt_eval.models import SpeechModel
from eval_pipeline.stt_eval.prompts import DEFAULT_PROMPT, PROMPT_VERSION
from eval_pipeline.stt_eval.report.data import SpeechReportData
from eval_pipeline.stt_eval.request import AudioTransport
from eval_pipeline.stt_eval.scoring.scores import ScoredSample, language_of, score_sample
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.stt_eval.transcript_rows import COMPLETED, FAILED, HEARD, item_id
from eval_pipeline_tests.memory_stages import MemoryStage, memory_stage

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
KEY = RunKey(project="default", run="helpline-2")
MODELS = ("gemini-2.5-flash", "whisper-1")
CLIP = b"RIFF a clip"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one model made of a sample; without a transcript it failed."""

    transcript: str | None = None
    outcome: str | None = None
    raw: str | None = None
    code: str | None = None
    message: str | None = None
    cost: Decimal | None = Decimal("0.0001")
    latency_s: float | None = 1.5


@dataclass(frozen=True, slots=True)
class Given:
    """One sample: what was said, and what each model heard (a text stands for a whole answer)."""

    reference: str | None
    answers: Sequence[Answer | str]
    sample_id: str | None = None
    language: str | None = "hi"
    file_name: str = "clip.wav"
    clip: bytes = CLIP
    mime_type: str = "audio/wav"
    format: str = "wav"
    duration_s: float | None = 4.2
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ClipsInMemory:
    """The clips of some samples; ``local_copy`` writes them into a folder."""

    folder: Path
    clips: Mapping[str, bytes]

    @contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        if key not in self.clips:
            raise NotFoundError(f"no object {key}", code="object_missing", hint="add the dataset again")
        path = self.folder / key.replace("/", "_")
        path.write_bytes(self.clips[key])
        yield path


@dataclass(frozen=True, slots=True)
class SpeechRun:
    """A run whose samples are scored."""

    data: SpeechReportData
    samples: tuple[ScoredSample, ...]
    clips: Mapping[str, bytes]

    def audio(self, folder: Path) -> ClipsInMemory:
        folder.mkdir(exist_ok=True)
        return ClipsInMemory(folder, self.clips)


def speech_run(given: Sequence[Given], *, models: Sequence[str] = MODELS, **data: Any) -> SpeechRun:  # noqa: ANN401 - any field of the data
    """Score samples as a run does and gather what its report is made from."""
    samples = tuple(_scored(number, one, models) for number, one in enumerate(given, start=1))
    figures = RunFigures(models, run=(KEY.project, KEY.run, "a" * 64))
    for scored in samples:
        figures.add(scored)
    rows = [row for scored in samples for row in scored.transcripts]
    costs = [row["cost_usd"] for row in rows]
    spec = _spec(len(samples), models)
    values: dict[str, Any] = {
        "run": _run(spec),
        "spec": spec,
        "figures": orjson.loads(orjson.dumps(figures.as_json())),
        "threshold": Threshold(0.5, failed=sum(row["status"] == FAILED for row in rows), total=len(rows)),
        "cost": Costs({}, None if None in costs else sum(costs, NOTHING)),
        "stages": [StageFact("transcripts", len(rows), "c" * 64, "0.1.0", NOW)],
        "written_at": NOW,
        "metadata_keys": tuple(dict.fromkeys(key for one in given for key in one.metadata)),
    }
    clips = {scored.sample["audio_key"]: one.clip for scored, one in zip(samples, given, strict=True)}
    return SpeechRun(SpeechReportData(**(values | data)), samples, clips)


def _scored(number: int, given: Given, models: Sequence[str]) -> ScoredSample:
    sha256 = hashlib.sha256(given.clip).hexdigest()
    sample = {
        "sample_id": given.sample_id or f"clip-{number:02d}",
        "audio_sha256": sha256,
        "audio_key": f"audio/{sha256}.{given.format}",
        "mime_type": given.mime_type,
        "format": given.format,
        "size_bytes": len(given.clip),
        "duration_s": given.duration_s,
        "sample_rate_hz": 16_000,
        "channels": 1,
        "reference": given.reference,
        "language": given.language,
        "file_name": given.file_name,
        "metadata": orjson.dumps(dict(given.metadata)).decode(),
    }
    both = enumerate(zip(models, given.answers, strict=True), start=1)
    heard = tuple(_heard(item_id(number, place), sample, model, answer) for place, (model, answer) in both)
    return score_sample(sample, heard, language=language_of(sample, None))


def _heard(identity: str, sample: Mapping[str, Any], model: str, given: Answer | str) -> dict[str, Any]:
    answer = Answer(given) if isinstance(given, str) else given
    outcome = answer.outcome or ("failed" if answer.transcript is None else "ok" if answer.transcript else "empty")
    row: dict[str, Any] = dict.fromkeys(tables.TRANSCRIPTS.names)
    return row | {
        "item_id": identity,
        "sample_id": sample["sample_id"],
        "model": model,
        "provider": SpeechModel.parse(model).endpoint,
        "status": COMPLETED if outcome in HEARD else FAILED,
        "outcome": outcome,
        "transcript": answer.transcript,
        "raw_text": answer.raw if answer.raw is not None else answer.transcript,
        "cleaned": [],
        "error_code": answer.code,
        "error_message": answer.message,
        "retried_input_tokens": 0,
        "retried_output_tokens": 0,
        "latency_s": answer.latency_s,
        "attempts": 1,
        "cost_usd": answer.cost,
    }


def _spec(samples: int, models: Sequence[str]) -> SttSpec:
    return SttSpec(
        dataset_name="Helpline",
        dataset_version="a" * 64,
        samples_count=samples,
        mode=RunMode.FAST,
        models=tuple(SpeechModel.parse(model) for model in models),
        prompt=DEFAULT_PROMPT,
        prompt_version=PROMPT_VERSION,
        language=None,
        audio_transport=AudioTransport.FILES_API,
        failure_threshold=0.5,
        concurrency=8,
    )


def _run(spec: SttSpec) -> RunRecord:
    return RunRecord(
        key=KEY,
        flow=Flow.STT,
        state=RunState.RUNNING,
        spec=spec.to_json(),
        spec_hash=spec.hash,
        dataset_name=spec.dataset_name,
        dataset_version=spec.dataset_version,
        mode=spec.mode,
        requested_by="meera",
        created_at=NOW,
        updated_at=NOW,
    )


def stored_stages(samples: Sequence[ScoredSample]) -> tuple[MemoryStage, MemoryStage, MemoryStage]:
    """Return the stages dataset, transcripts and scores of a run."""
    return (
        _stored("dataset", [scored.sample for scored in samples], tables.DATASET),
        _stored("transcripts", [row for scored in samples for row in scored.transcripts], tables.TRANSCRIPTS),
        _stored("scores", [row for scored in samples for row in scored.rows], tables.SCORES),
    )


def _stored(stage: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> MemoryStage:
    return memory_stage(StageRef(Flow.STT, key=KEY, stage=stage), rows, schema)
