"""The text flow as partitioned assets, in the order in which data goes through them. One partition is one run."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from eval_pipeline.core.ports import StageReader
from eval_pipeline.core.runs import Flow
from eval_pipeline.defs.failures import explained
from eval_pipeline.defs.io_managers import OPTIONAL
from eval_pipeline.defs.partitions import text_runs
from eval_pipeline.defs.run_sensors import requested_text_runs
from eval_pipeline.defs.tasks import Task, task_of

GROUP = str(Flow.TEXT)


def stage(**options: Any) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:  # noqa: ANN401 - as dg.asset takes them
    """Make a function the asset of a stage."""
    decorate: Callable[[Callable[..., Any]], dg.AssetsDefinition] = dg.asset(
        key_prefix=GROUP,
        group_name=GROUP,
        partitions_def=text_runs,
        owners=["team:evaluation"],
        required_resource_keys={"deployment", "progress"},
        io_manager_key="stages",
        **options,
    )
    return decorate


class SpecConfig(dg.Config):
    """What to evaluate. Leave everything empty to make the stages of a run again as it was specified."""

    dataset: str = Field(default="", description="Golden dataset: NAME, or NAME@VERSION (first 8 characters of it).")
    mode: str = Field(
        default="batch", description="batch: at half price, within a day. fast: live calls, for small datasets."
    )
    provider: str = Field(default="openai", description="openai: OpenAI or any compatible server (OPENAI_BASE_URL).")
    model: str | None = Field(default=None, description="Model under test, for example gpt-4o-mini.")
    instructions: str | None = Field(default=None, description="System prompt of the assistant under test.")
    model_body: dict[str, Any] = Field(
        default={}, description="Anything else that the Responses API takes: temperature, tools, reasoning, text, …"
    )
    embedding_model: str | None = Field(default=None, description="Default text-embedding-3-large.")
    embedding_dimensions: int | None = Field(default=None, description="Shorter vectors, where the model offers them.")
    scorers: list[Any] = Field(
        default=[], description="cosine_similarity (default), exact_match, contains, regex:…, numeric, token_f1."
    )
    repeats: int | None = Field(default=None, description="How often each question is asked; default: the dataset's.")
    failure_threshold: float | None = Field(default=None, description="The run fails above this share of failures.")
    concurrency: int | None = Field(default=None, description="Live calls under way at once.")
    max_cost_usd: float | None = Field(default=None, description="The run stops, resumable, before it costs more.")

    def given(self) -> dict[str, Any]:
        """Return what a person filled in; nothing when the form was left as it was."""
        if self == SpecConfig():
            return {}
        return {name: value for name, value in self.model_dump().items() if value not in (None, "", [], {})}


class PaidConfig(dg.Config):
    """How a stage that pays is made again."""

    refresh: bool = Field(
        default=False, description="Start over and pay again, instead of asking only what is missing."
    )
    resend_lost: bool = Field(
        default=False, description="Send items again whose batch result is gone; they may be charged a second time."
    )


def _optional(name: str) -> dg.AssetIn:
    """Name an upstream stage that a stage can do without."""
    return dg.AssetIn(key=[GROUP, name], metadata={OPTIONAL: True})


class ScoresConfig(dg.Config):
    """How answers are scored again."""

    scorers: list[Any] = Field(default=[], description="Other scorers than the run's own; empty: the run's own.")


@stage(kinds={"json"})
def spec(context: dg.AssetExecutionContext, config: SpecConfig) -> dg.Output[StageReader]:
    """Frozen specification of the run: dataset version, model, scorers, thresholds, with a hash."""
    from eval_pipeline.defs import text_prepare  # noqa: PLC0415 - pyarrow and the clients: not when this loads

    return _made(lambda: text_prepare.record_spec(task_of(context), given=config.given()))


@stage(kinds={"parquet"})
def dataset(context: dg.AssetExecutionContext, spec: StageReader) -> dg.Output[StageReader]:
    """Golden questions and answers of the pinned dataset version, expanded by repeats."""
    from eval_pipeline.defs import text_prepare  # noqa: PLC0415

    return _made(lambda: text_prepare.make_dataset(task_of(context), spec=spec))


@stage(kinds={"openai"})
def response_batch(context: dg.AssetExecutionContext, dataset: StageReader) -> dg.Output[StageReader]:
    """Batches of questions at the provider; a fast run needs none."""
    from eval_pipeline.defs import text_prepare  # noqa: PLC0415

    return _made(lambda: text_prepare.make_response_batch(task_of(context), dataset=dataset))


@stage(kinds={"openai", "parquet"}, output_required=False, pool="openai")
def responses(
    context: dg.AssetExecutionContext, config: PaidConfig, dataset: StageReader, response_batch: StageReader
) -> Iterator[dg.Output[StageReader]]:
    """Answer of the model under test to every question, or the reason why there is none."""
    from eval_pipeline.defs import text_answers  # noqa: PLC0415

    task = task_of(context, refresh=config.refresh, resend_lost=config.resend_lost)
    yield from _made_when_ready(
        task, lambda: text_answers.make_responses(task, dataset=dataset, response_batch=response_batch)
    )


@stage(kinds={"openai"})
def embedding_batch(
    context: dg.AssetExecutionContext, dataset: StageReader, responses: StageReader
) -> dg.Output[StageReader]:
    """Batches of answers to embed at the provider; a fast run needs none."""
    from eval_pipeline.defs import text_prepare  # noqa: PLC0415

    return _made(lambda: text_prepare.make_embedding_batch(task_of(context), dataset=dataset, responses=responses))


@stage(kinds={"openai", "parquet"}, output_required=False, pool="openai")
def embeddings(
    context: dg.AssetExecutionContext,
    config: PaidConfig,
    dataset: StageReader,
    responses: StageReader,
    embedding_batch: StageReader,
) -> Iterator[dg.Output[StageReader]]:
    """Vectors of every answer and its golden answer; equal texts are embedded once."""
    from eval_pipeline.defs import text_embeddings  # noqa: PLC0415

    task = task_of(context, refresh=config.refresh, resend_lost=config.resend_lost)
    yield from _made_when_ready(
        task,
        lambda: text_embeddings.make_embeddings(
            task, dataset=dataset, responses=responses, embedding_batch=embedding_batch
        ),
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
    from eval_pipeline.defs import text_results  # noqa: PLC0415

    answers = text_results.Answers(dataset=dataset, responses=responses, embeddings=embeddings)
    return _made(lambda: text_results.make_scores(task_of(context), answers, scorers=config.scorers))


@stage(kinds={"html"}, ins={"embeddings": _optional("embeddings"), "scores": _optional("scores")})
def report(
    context: dg.AssetExecutionContext,
    dataset: StageReader,
    responses: StageReader,
    embeddings: StageReader | None,
    scores: StageReader | None,
) -> dg.Output[StageReader]:
    """Report for a domain expert: one self-contained HTML page."""
    from eval_pipeline.defs import text_results  # noqa: PLC0415

    answers = text_results.Answers(dataset=dataset, responses=responses, embeddings=embeddings, scores=scores)
    return _made(lambda: text_results.make_report(task_of(context), answers))


@stage(kinds={"langfuse"}, output_required=False)
def traces(
    context: dg.AssetExecutionContext, dataset: StageReader, responses: StageReader, scores: StageReader
) -> Iterator[dg.Output[StageReader]]:
    """One trace per item in Langfuse, with its generation and scores; off without LANGFUSE keys."""
    from eval_pipeline.defs import text_results  # noqa: PLC0415

    task = task_of(context)
    if not task.credentials.traces_to_langfuse:
        context.log.info("Langfuse is off: LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set")
        return
    yield _made(lambda: text_results.make_traces(task, dataset=dataset, responses=responses, scores=scores))


def _made(make: Callable[[], StageReader]) -> dg.Output[StageReader]:
    """Make a stage and describe it; what goes wrong is explained."""
    from eval_pipeline.defs.text_metadata import describe  # noqa: PLC0415

    with explained():
        stored = make()
    return dg.Output(stored, metadata=describe(stored))


def _made_when_ready(task: Task, make: Callable[[], StageReader | None]) -> Iterator[dg.Output[StageReader]]:
    """Make a stage, or yield nothing while it waits or another process makes it: all that depends on it is skipped."""
    from eval_pipeline.defs.text_batches import leaving_to_holder  # noqa: PLC0415
    from eval_pipeline.defs.text_metadata import describe  # noqa: PLC0415

    stored = None
    with explained(), leaving_to_holder(task):
        stored = make()
    if stored is not None:
        yield dg.Output(stored, metadata=describe(stored))


def threshold_check(stage: dg.AssetsDefinition, *, about: str) -> dg.AssetChecksDefinition:
    """Make the blocking check that compares a paid stage's failures with the run's threshold."""

    @dg.asset_check(
        asset=stage,
        name="failure_threshold",
        blocking=True,
        partitions_def=text_runs,
        required_resource_keys={"deployment", "progress"},
        description=about,
    )
    def failure_threshold(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        from eval_pipeline.defs import text_breach  # noqa: PLC0415

        with explained():
            return text_breach.judge(context, stage=stage.key)

    return failure_threshold


responses_threshold = threshold_check(
    responses, about="failed / total is not greater than the run's threshold; counted over the whole dataset."
)
embeddings_threshold = threshold_check(
    embeddings, about="Answers and embeddings that failed, over the whole dataset, against the run's threshold."
)


def freshness_check(stage: dg.AssetsDefinition, *, collected_by: str) -> dg.AssetChecksDefinition:
    """Make the check that says whether a stage's batches are within their window; the sensor reports it, too."""

    @dg.asset_check(
        asset=stage,
        name="batch_freshness",
        partitions_def=text_runs,
        required_resource_keys={"deployment", "progress"},
        description="No batch is open for longer than its window, no results are about to expire, and the account can "
        "be asked.",
    )
    def batch_freshness(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        from eval_pipeline.defs.batch_sensors import judge_freshness  # noqa: PLC0415

        with explained():
            return judge_freshness(task_of(context), collected_by=collected_by)

    return batch_freshness


responses_freshness = freshness_check(response_batch, collected_by="responses")
embeddings_freshness = freshness_check(embedding_batch, collected_by="embeddings")


@dg.sensor(
    name="requested_runs",
    job_name=GROUP,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"deployment"},
    description="Starts the runs that the command line requested without waiting.",
)
def requested_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Turn waiting requests into partitions and runs."""
    return requested_text_runs(context.resources.deployment, context.instance)


@dg.sensor(
    name="openai_batches",
    job_name=GROUP,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    required_resource_keys={"deployment"},
    description="Asks OpenAI about open batches, and starts the runs that collect what has ended.",
)
def openai_batches(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
    """Poll the open batches of all projects."""
    from eval_pipeline.defs.batch_sensors import look_after_batches  # noqa: PLC0415 - only where it ticks

    return look_after_batches(context, context.resources.deployment, provider="openai")


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
    GROUP,
    selection=dg.AssetSelection.assets(*TEXT_ASSETS),
    description="Evaluate a model on golden questions, from specification to report.",
    executor_def=dg.in_process_executor,
)
