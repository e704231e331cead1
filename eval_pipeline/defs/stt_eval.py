"""The speech flow as partitioned assets, in the order in which data goes through them. One partition is one run."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import Flow
from eval_pipeline.defs.executor import named_in_process_executor
from eval_pipeline.defs.stages import (
    PaidConfig,
    SpecForm,
    freshness_check,
    made,
    made_when_ready,
    optional,
    stages_of,
    threshold_check,
)
from eval_pipeline.defs.tasks import task_of

stage = stages_of(Flow.STT)


class SttSpecConfig(SpecForm):
    """What to transcribe. Leave everything empty to make the stages of a run again as it was specified."""

    dataset: str = Field(default="", description="Audio dataset: NAME, or NAME@VERSION (first 8 characters of it).")
    mode: str = Field(default="batch", description="batch: at half price, within two days. live: at once.")
    models: list[str] = Field(
        default=[], description="Models to compare, such as gemini-2.5-flash, openai/whisper-1; any name is taken."
    )
    prompt: str | None = Field(
        default=None, description="What a model that takes instructions is told; {language} becomes a hint."
    )
    language: str | None = Field(default=None, description="BCP-47 code of samples that the dataset names none for.")
    audio_transport: str = Field(
        default="files_api",
        description="files_api: clips are uploaded to the provider. signed_url: it fetches them from the S3 store.",
    )
    speaker_column: str | None = Field(
        default=None, description="Column of the dataset that names who speaks: clips of one speaker count together."
    )
    failure_threshold: float | None = Field(default=None, description="The run fails above this share of failures.")
    concurrency: int | None = Field(default=None, description="Live calls under way at once.")


class SttScoresConfig(dg.Config):
    """How transcripts are scored again."""

    speaker_column: str | None = Field(
        default=None, description="Another column that names who speaks than the run's own; empty: the run's own."
    )


@stage(kinds={"json"})
def spec(context: dg.AssetExecutionContext, config: SttSpecConfig) -> dg.Output[StageReader]:
    """Frozen specification of the run: dataset version, models, prompt, thresholds, with a hash."""
    from eval_pipeline.stt_eval.stages.spec import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.STT, given=config.given())
    return made(lambda: make(task))


@stage(kinds={"parquet"})
def dataset(context: dg.AssetExecutionContext, spec: StageReader) -> dg.Output[StageReader]:
    """Samples of the pinned dataset version: clips, references, languages."""
    from eval_pipeline.stt_eval.stages.dataset import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.STT)
    return made(lambda: make(task, spec=spec))


@stage(kinds={"gemini"})
def transcription_batch(context: dg.AssetExecutionContext, dataset: StageReader) -> dg.Output[StageReader]:
    """Clips and batches at the provider, one batch for each model and shard; a live run needs none."""
    from eval_pipeline.stt_eval.stages.transcription_batch import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.STT)
    return made(lambda: make(task, dataset=dataset))


@stage(kinds={"gemini", "openai", "parquet"}, output_required=False, pool="speech")
def transcripts(
    context: dg.AssetExecutionContext, config: PaidConfig, dataset: StageReader, transcription_batch: StageReader
) -> Iterator[dg.Output[StageReader]]:
    """Transcript of every clip by every model, or the reason why there is none."""
    from eval_pipeline.stt_eval.stages.transcripts import make  # noqa: PLC0415 - not when this loads

    task = task_of(
        context,
        flow=Flow.STT,
        refresh=config.refresh,
        resend_lost=config.resend_lost,
        endpoint_changed=config.endpoint_changed,
    )
    yield from made_when_ready(task, lambda: make(task, dataset=dataset, transcription_batch=transcription_batch))


@stage(kinds={"parquet"})
def scores(
    context: dg.AssetExecutionContext, config: SttScoresConfig, dataset: StageReader, transcripts: StageReader
) -> dg.Output[StageReader]:
    """Error rates of every transcript at three levels; which model is better, how sure that is. Free to make again."""
    from eval_pipeline.stt_eval.stages.scores import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.STT)
    column = config.speaker_column or None
    return made(lambda: make(task, dataset=dataset, transcripts=transcripts, speaker_column=column))


@stage(kinds={"html"}, ins={"scores": optional(Flow.STT, "scores")})
def report(
    context: dg.AssetExecutionContext,
    dataset: StageReader,
    transcripts: StageReader,
    scores: StageReader | None,
) -> dg.Output[StageReader]:
    """Report for the people who choose a model: one HTML page with players and word diffs, CSV and JSON beside it."""
    from eval_pipeline.stt_eval.stages.report import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.STT)
    return made(lambda: make(task, dataset=dataset, transcripts=transcripts, scores=scores))


transcripts_threshold = threshold_check(
    transcripts, about="failed / total is not greater than the run's threshold; counted over all samples and models."
)
transcripts_freshness = freshness_check(transcription_batch, collected_by="transcripts")

STT_ASSETS = (spec, dataset, transcription_batch, transcripts, scores, report)
STT_CHECKS = (transcripts_threshold, transcripts_freshness)
stt_job = dg.define_asset_job(
    str(Flow.STT),
    selection=dg.AssetSelection.assets(*STT_ASSETS),
    description="Transcribe recordings with several models, and say which one to use.",
    executor_def=named_in_process_executor,
)
