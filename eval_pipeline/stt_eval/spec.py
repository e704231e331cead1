"""What a speech run is: the frozen specification and its hash.

Frozen when the run's name is claimed. Editing a setting, a prompt or a dataset later never changes a run.
"""

from dataclasses import dataclass, field
from typing import Self

from eval_pipeline.core.configuration import canonical_sha256
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.endpoints import Endpoints, FrozenEndpoint, endpoints_json, frozen_of, read_endpoints
from eval_pipeline.core.runs import RunMode
from eval_pipeline.stt_eval.models import SpeechModel
from eval_pipeline.stt_eval.request import AudioTransport

SCHEMA = "eval_pipeline.stt_spec/2"
SCHEMA_WITHOUT_ENDPOINTS = "eval_pipeline.stt_spec/1"


@dataclass(frozen=True, slots=True)
class SttSpec:
    """The frozen specification of a run."""

    dataset_name: str
    dataset_version: str
    samples_count: int
    mode: RunMode
    models: tuple[SpeechModel, ...]
    prompt: str
    prompt_version: str
    language: str | None
    """Of samples that the dataset names none for."""
    audio_transport: AudioTransport
    failure_threshold: float
    concurrency: int
    speaker_column: str | None = None
    """Of the dataset's metadata, which names who speaks; None: every sample stands for itself."""
    endpoints: Endpoints = field(default_factory=dict)
    """Where its models are asked; none of a run that an earlier version specified."""

    @property
    def asked_endpoints(self) -> tuple[str, ...]:
        """Whom the run asks."""
        return tuple(dict.fromkeys(model.endpoint for model in self.models))

    def endpoint_of(self, model: SpeechModel) -> FrozenEndpoint:
        """Return where a model is asked, as it was frozen."""
        return frozen_of(self.endpoints, model.endpoint)

    @property
    def total_items_count(self) -> int:
        """Samples times models: the denominator of everything."""
        return self.samples_count * len(self.models)

    def to_json(self) -> JsonDict:
        """Return the JSON form that the ledger keeps; without a column of speakers it is that of earlier versions."""
        told = {} if self.speaker_column is None else {"speaker_column": self.speaker_column}
        return {
            "schema": SCHEMA if self.endpoints else SCHEMA_WITHOUT_ENDPOINTS,
            "dataset": {
                "name": self.dataset_name,
                "version": self.dataset_version,
                "samples_count": self.samples_count,
            },
            "mode": str(self.mode),
            "models": [{"provider": model.endpoint, "name": model.name} for model in self.models],
            "prompt": self.prompt,
            "prompt_version": self.prompt_version,
            "language": self.language,
            "audio_transport": str(self.audio_transport),
            "failure_threshold": self.failure_threshold,
            "concurrency": self.concurrency,
            **told,
            **endpoints_json(self.endpoints),
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        return cls(
            dataset_name=value["dataset"]["name"],
            dataset_version=value["dataset"]["version"],
            samples_count=value["dataset"]["samples_count"],
            mode=RunMode(value["mode"]),
            models=tuple(SpeechModel(model["provider"], model["name"]) for model in value["models"]),
            prompt=value["prompt"],
            prompt_version=value["prompt_version"],
            language=value["language"],
            audio_transport=AudioTransport(value["audio_transport"]),
            failure_threshold=value["failure_threshold"],
            concurrency=value["concurrency"],
            speaker_column=value.get("speaker_column"),
            endpoints=read_endpoints(value),
        )

    @property
    def hash(self) -> str:
        """The sha256 of the canonical JSON."""
        return canonical_sha256(self.to_json())
