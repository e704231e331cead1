"""What a person may set of a speech run, a field each: file, form, command line and documentation come from it."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Self

from eval_pipeline.core.configuration import invalid_config, read_given
from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import shown
from eval_pipeline.core.options import (
    CONCURRENCY,
    FAILURE_THRESHOLD,
    OTHER_MODE_WORDS,
    OptionKind,
    RunOption,
)
from eval_pipeline.core.protocols import BUILT_IN
from eval_pipeline.core.runs import RunMode
from eval_pipeline.stt_eval.models import SpeechModel

MOST_MODELS = 50


class AudioTransport(StrEnum):
    """How clips reach a provider's batches."""

    FILES_API = "files_api"
    """Uploaded to the provider, which keeps them for two days; deleted when the run has collected."""
    SIGNED_URL = "signed_url"
    """The provider fetches them from the S3 store by addresses that expire."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SttRequest:
    """What a person asks for, before it is checked against datasets and settings; None means the default."""

    dataset: Annotated[
        str,
        RunOption(
            metavar="NAME[@VERSION]",
            help="Audio dataset; its newest version, or the one named.",
            form="Audio dataset: NAME, or NAME@VERSION (first 8 characters of it).",
            page="Audio dataset: `NAME` for its newest version, or `NAME@VERSION`.",
            unset="required",
        ),
    ]
    models: Annotated[
        tuple[SpeechModel, ...],
        RunOption(
            kind=OptionKind.TEXTS,
            flag="model",
            metavar="[ENDPOINT/]NAME",
            help="A model to compare: gemini-… is Gemini's, any other is asked over OpenAI's protocol; repeatable.",
            form="Models to compare, such as gemini-2.5-flash, openai/whisper-1; any name is taken.",
            page="List of the models to compare, at most 50: `NAME` or `ENDPOINT/NAME`. `gemini-…` is Gemini's, "
            "any other name is asked over OpenAI's protocol.",
            unset="required",
        ),
    ]
    mode: Annotated[
        RunMode,
        RunOption(
            also=OTHER_MODE_WORDS,
            help="batch (default): at half price, within two days; models without a batch API for audio are "
            "asked live.",
            form="batch: at half price, within two days. fast: live calls, at once.",
            page="`batch`: at half price, within two days; models without a batch API for audio are asked live, "
            "and one at least must have it. `fast`: live calls.",
            unset="`batch`",
        ),
    ] = RunMode.BATCH
    prompt: Annotated[
        str | None,
        RunOption(
            metavar="TEXT",
            help="What a model that takes instructions is told; {language} is a hint.",
            form="What a model that takes instructions is told; {language} becomes a hint.",
            page="What a model that takes instructions is told; `{language}` becomes a hint where one "
            "language is known.",
            unset="a prompt of ours, with a version",
        ),
    ] = None
    language: Annotated[
        str | None,
        RunOption(
            metavar="CODE",
            help="BCP-47 code of samples that the dataset names none for.",
            page="BCP-47 code of samples that the dataset names none for.",
            unset="none",
        ),
    ] = None
    audio_transport: Annotated[
        AudioTransport,
        RunOption(
            help="files_api (default): clips are uploaded. signed_url: the provider fetches them from the S3 store.",
            form="files_api: clips are uploaded to the provider. signed_url: it fetches them from the S3 store.",
            page="`files_api`: clips are uploaded to Gemini, and deleted when the run has collected. "
            "`signed_url`: Gemini fetches them from the S3 store. For batches.",
            unset="`files_api`",
        ),
    ] = AudioTransport.FILES_API
    speaker_column: Annotated[
        str | None,
        RunOption(
            metavar="COLUMN",
            help="Column of the dataset that names who speaks: clips of one speaker count together in every interval.",
            form="Column of the dataset that names who speaks: clips of one speaker count together.",
            page="Column of the dataset that names who speaks. Clips of one speaker are alike, so they count "
            "together in every interval and test.",
            unset="none: every clip stands for itself",
        ),
    ] = None
    concurrency: Annotated[int | None, CONCURRENCY] = None
    failure_threshold: Annotated[float | None, FAILURE_THRESHOLD] = None

    @classmethod
    def from_mapping(cls, values: Json, *, endpoints: Container[str] = BUILT_IN) -> Self:
        """Read a configuration file or form; an unknown key is an error, not ignored."""
        given = read_given(cls, values)
        given["models"] = _models(given.get("models"), endpoints=endpoints)
        if "language" in given:
            from eval_pipeline.stt_eval.language.languages import language_code  # noqa: PLC0415 - not when this loads

            given["language"] = language_code(given["language"])
        return cls(**given)


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
