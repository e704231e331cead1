"""What a speech run is: the frozen specification and its hash.

Frozen when the run's name is claimed. Editing a setting, a prompt or a dataset later never changes a run.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from eval_pipeline.core.configuration import canonical_sha256, invalid_config, read_mapping
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.endpoints import Endpoints, FrozenEndpoint, endpoints_json, frozen_of, read_endpoints
from eval_pipeline.core.names import shown
from eval_pipeline.core.options import keys_of
from eval_pipeline.core.protocols import BUILT_IN
from eval_pipeline.core.runs import RunMode
from eval_pipeline.stt_eval.language.languages import language_code
from eval_pipeline.stt_eval.models import SpeechModel
from eval_pipeline.stt_eval.options import OPTIONS

SCHEMA = "eval_pipeline.stt_spec/2"
SCHEMA_WITHOUT_ENDPOINTS = "eval_pipeline.stt_spec/1"
MOST_MODELS = 50
REQUEST_KEYS = keys_of(OPTIONS)
MODES = {"batch": RunMode.BATCH, "live": RunMode.FAST, "fast": RunMode.FAST}
"""How a mode is asked for; speech calls it live what text evaluation calls fast."""


class AudioTransport(StrEnum):
    """How clips reach a provider's batches."""

    FILES_API = "files_api"
    """Uploaded to the provider, which keeps them for two days; deleted when the run has collected."""
    SIGNED_URL = "signed_url"
    """The provider fetches them from the S3 store by addresses that expire."""


@dataclass(frozen=True, slots=True)
class SttRequest:
    """What a person asks for, before it is checked against datasets and settings; None means the default."""

    dataset: str
    models: tuple[SpeechModel, ...]
    mode: RunMode = RunMode.BATCH
    prompt: str | None = None
    language: str | None = None
    audio_transport: AudioTransport = AudioTransport.FILES_API
    speaker_column: str | None = None
    failure_threshold: float | None = None
    concurrency: int | None = None

    @classmethod
    def from_mapping(cls, values: Json, *, endpoints: Container[str] = BUILT_IN) -> Self:
        """Read a configuration file or form; an unknown key is an error, not ignored."""
        given = read_mapping(values, options=OPTIONS)
        given["models"] = _models(given.get("models"), endpoints=endpoints)
        if "mode" in given:
            given["mode"] = _mode(given["mode"])
        if "language" in given:
            given["language"] = language_code(given["language"])
        if "audio_transport" in given:
            given["audio_transport"] = _transport(given["audio_transport"])
        return cls(**given)


def _mode(value: object) -> RunMode:
    if str(value) in MODES:
        return MODES[str(value)]
    raise invalid_config(f"unknown mode {shown(str(value))}", "use batch or live")


def _transport(value: object) -> AudioTransport:
    try:
        return AudioTransport(str(value))
    except ValueError as error:
        raise invalid_config(
            f"unknown audio transport {shown(str(value))}", f"use {' or '.join(AudioTransport)}"
        ) from error


def _models(value: object, *, endpoints: Container[str]) -> tuple[SpeechModel, ...]:
    """Read the models; one that is named twice would be paid for twice."""
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, Sequence) or not named:
        raise invalid_config("no model was named", "give at least one, such as gemini-2.5-flash")
    models = [SpeechModel.parse(name, endpoints=endpoints) for name in named]
    if len(models) > MOST_MODELS:
        raise invalid_config(f"{len(models):,} models were named", f"give at most {MOST_MODELS}")
    labels = [model.label for model in models]
    if twice := next((label for label in labels if labels.count(label) > 1), None):
        raise invalid_config(f"model {shown(twice)} is named twice", "name every model once")
    return tuple(models)


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
    def mode_name(self) -> str:
        """The mode as it is asked for."""
        return "live" if self.mode is RunMode.FAST else str(self.mode)

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
