"""The text flow as partitioned assets, in the order in which data goes through them. One partition is one run."""

from collections.abc import Iterator
from typing import Any

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
    made_if_any,
    made_when_ready,
    optional,
    stages_of,
    threshold_check,
)
from eval_pipeline.defs.tasks import task_of

stage = stages_of(Flow.TEXT)


class SpecConfig(SpecForm):
    """What to evaluate. Leave everything empty to make the stages of a run again as it was specified."""

    dataset: str = Field(default="", description="Golden dataset: NAME, or NAME@VERSION (first 8 characters of it).")
    mode: str = Field(
        default="batch", description="batch: at half price, within a day. fast: live calls, for small datasets."
    )
    provider: str = Field(
        default="openai", description="openai: OpenAI or any compatible server (OPENAI_BASE_URL). gemini."
    )
    model: str | None = Field(default=None, description="Model under test; default gpt-4o-mini, or gemini-2.5-flash.")
    instructions: str | None = Field(default=None, description="System prompt of the assistant under test.")
    model_body: dict[str, Any] = Field(
        default={},
        description="Anything else that a request takes, as in the Responses API: temperature, tools, …",
    )
    embedding_model: str | None = Field(
        default=None, description="Default text-embedding-3-large, or gemini-embedding-001."
    )
    embedding_dimensions: int | None = Field(default=None, description="Shorter vectors, where the model offers them.")
    scorers: list[Any] = Field(
        default=[], description="cosine_similarity (default), exact_match, contains, regex:…, numeric, token_f1."
    )
    repeats: int | None = Field(default=None, description="How often each question is asked; default: the dataset's.")
    failure_threshold: float | None = Field(default=None, description="The run fails above this share of failures.")
    concurrency: int | None = Field(default=None, description="Live calls under way at once.")
    max_cost_usd: float | None = Field(default=None, description="The run stops, resumable, before it costs more.")


class ScoresConfig(dg.Config):
    """How answers are scored again."""

    scorers: list[Any] = Field(default=[], description="Other scorers than the run's own; empty: the run's own.")


@stage(kinds={"json"})
def spec(context: dg.AssetExecutionContext, config: SpecConfig) -> dg.Output[StageReader]:
    """Frozen specification of the run: dataset version, model, scorers, thresholds, with a hash."""
    from eval_pipeline.text_eval.stages.spec import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.TEXT, given=config.given())
    return made(lambda: make(task))


@stage(kinds={"parquet"})
def dataset(context: dg.AssetExecutionContext, spec: StageReader) -> dg.Output[StageReader]:
    """Golden questions and answers of the pinned dataset version, expanded by repeats."""
    from eval_pipeline.text_eval.stages.dataset import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.TEXT)
    return made(lambda: make(task, spec=spec))


@stage(kinds={"openai"})
def response_batch(context: dg.AssetExecutionContext, dataset: StageReader) -> dg.Output[StageReader]:
    """Batches of questions at the provider; a fast run needs none."""
    from eval_pipeline.text_eval.stages.response_batch import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.TEXT)
    return made(lambda: make(task, dataset=dataset))


@stage(kinds={"openai", "parquet"}, output_required=False, pool="openai")
def responses(
    context: dg.AssetExecutionContext, config: PaidConfig, dataset: StageReader, response_batch: StageReader
) -> Iterator[dg.Output[StageReader]]:
    """Answer of the model under test to every question, or the reason why there is none."""
    from eval_pipeline.text_eval.stages.responses import make  # noqa: PLC0415 - not when this loads

    task = task_of(
        context,
        flow=Flow.TEXT,
        refresh=config.refresh,
        resend_lost=config.resend_lost,
        endpoint_changed=config.endpoint_changed,
    )
    yield from made_when_ready(task, lambda: make(task, dataset=dataset, response_batch=response_batch))


@stage(kinds={"openai"})
def embedding_batch(
    context: dg.AssetExecutionContext, dataset: StageReader, responses: StageReader
) -> dg.Output[StageReader]:
    """Batches of answers to embed at the provider; a fast run needs none."""
    from eval_pipeline.text_eval.stages.embedding_batch import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.TEXT)
    return made(lambda: make(task, dataset=dataset, responses=responses))


@stage(kinds={"openai", "parquet"}, output_required=False, pool="openai")
def embeddings(
    context: dg.AssetExecutionContext,
    config: PaidConfig,
    dataset: StageReader,
    responses: StageReader,
    embedding_batch: StageReader,
) -> Iterator[dg.Output[StageReader]]:
    """Vectors of every answer and its golden answer; equal texts are embedded once."""
    from eval_pipeline.text_eval.stages.embeddings import make  # noqa: PLC0415 - not when this loads

    task = task_of(
        context,
        flow=Flow.TEXT,
        refresh=config.refresh,
        resend_lost=config.resend_lost,
        endpoint_changed=config.endpoint_changed,
    )
    yield from made_when_ready(
        task, lambda: make(task, dataset=dataset, responses=responses, embedding_batch=embedding_batch)
    )


@stage(kinds={"parquet"})
def scores(
    context: dg.AssetExecutionContext,
    config: ScoresConfig,
    dataset: StageReader,
    responses: StageReader,
    embeddings: StageReader,
) -> dg.Output[StageReader]:
    """Scores of every answer against its golden answer. Free to make again, also with other scorers."""
    from eval_pipeline.text_eval.stages.scores import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.TEXT, given=config.model_dump())
    return made(lambda: make(task, dataset=dataset, responses=responses, embeddings=embeddings))


@stage(kinds={"html"}, ins={"embeddings": optional(Flow.TEXT, "embeddings"), "scores": optional(Flow.TEXT, "scores")})
def report(
    context: dg.AssetExecutionContext,
    dataset: StageReader,
    responses: StageReader,
    embeddings: StageReader | None,
    scores: StageReader | None,
) -> dg.Output[StageReader]:
    """Report for a domain expert: one self-contained HTML page."""
    from eval_pipeline.text_eval.stages.report import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.TEXT)
    return made(lambda: make(task, dataset=dataset, responses=responses, embeddings=embeddings, scores=scores))


@stage(kinds={"langfuse"}, output_required=False)
def traces(
    context: dg.AssetExecutionContext, dataset: StageReader, responses: StageReader, scores: StageReader
) -> Iterator[dg.Output[StageReader]]:
    """One trace per item in Langfuse, with its generation and scores; off without LANGFUSE keys."""
    from eval_pipeline.text_eval.stages.traces import make  # noqa: PLC0415 - not when this loads

    task = task_of(context, flow=Flow.TEXT)
    yield from made_if_any(lambda: make(task, dataset=dataset, responses=responses, scores=scores))


responses_threshold = threshold_check(
    responses, about="failed / total is not greater than the run's threshold; counted over the whole dataset."
)
embeddings_threshold = threshold_check(
    embeddings, about="Answers and embeddings that failed, over the whole dataset, against the run's threshold."
)
responses_freshness = freshness_check(response_batch, collected_by="responses")
embeddings_freshness = freshness_check(embedding_batch, collected_by="embeddings")

TEXT_ASSETS = (
    spec,
    dataset,
    response_batch,
    responses,
    embedding_batch,
    embeddings,
    scores,
    report,
    traces,
)
TEXT_CHECKS = (responses_threshold, embeddings_threshold, responses_freshness, embeddings_freshness)
text_job = dg.define_asset_job(
    str(Flow.TEXT),
    selection=dg.AssetSelection.assets(*TEXT_ASSETS),
    description="Evaluate a model on golden questions, from specification to report.",
    executor_def=named_in_process_executor,
)
