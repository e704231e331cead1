"""The text flow as it is declared: its stages, what a person may set, what the command line says of it."""

from collections.abc import Mapping
from typing import Any

from eval_pipeline.core.options import OptionKind, RunOption, config_file, options_of
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.flow import Asks, CommandWords, FlowPlan, Paid, Stage
from eval_pipeline.text_eval.request import TextRequest


def _answering_endpoint(spec: Mapping[str, Any]) -> str:
    from eval_pipeline.text_eval.spec import TextSpec  # noqa: PLC0415 - not when this loads

    return TextSpec.from_json(spec).endpoint


def _embedding_endpoint(spec: Mapping[str, Any]) -> str:
    from eval_pipeline.text_eval.spec import TextSpec  # noqa: PLC0415 - the same

    return TextSpec.from_json(spec).embedding_endpoint


PLAN = FlowPlan(
    flow=Flow.TEXT,
    command="text",
    title="Text evaluation",
    says="Evaluate a model on golden questions, from specification to report.",
    stages=(
        Stage(
            name="spec",
            says="Frozen specification of the run: dataset version, model, scorers, thresholds, with a hash.",
            kinds=("json",),
            options=(
                *options_of(TextRequest),
                config_file("Any of these settings, and model_body: what else a request takes."),
            ),
            form="What to evaluate. Leave everything empty to make the stages of a run again as it was specified.",
        ),
        Stage(
            name="dataset",
            says="Golden questions and answers of the pinned dataset version, expanded by repeats.",
            inputs=("spec",),
        ),
        Stage(
            name="response_batch",
            says="Batches of questions at the provider; a fast run needs none.",
            inputs=("dataset",),
            kinds=("openai",),
            submits_for="responses",
        ),
        Stage(
            name="responses",
            says="Answer of the model under test to every question, or the reason why there is none.",
            inputs=("dataset", "response_batch"),
            kinds=("openai", "parquet"),
            paid=Paid(
                pool=_answering_endpoint,
                threshold="failed / total is not greater than the run's threshold; counted over the whole dataset.",
                asks=Asks(rows_of="dataset"),
            ),
        ),
        Stage(
            name="embedding_batch",
            says="Batches of answers to embed at the provider; a fast run needs none.",
            inputs=("dataset", "responses"),
            kinds=("openai",),
            submits_for="embeddings",
        ),
        Stage(
            name="embeddings",
            says="Vectors of every answer and its golden answer; equal texts are embedded once.",
            inputs=("dataset", "responses", "embedding_batch"),
            kinds=("openai", "parquet"),
            paid=Paid(
                pool=_embedding_endpoint,
                threshold="Answers and embeddings that failed, over the whole dataset, against the run's threshold.",
            ),
        ),
        Stage(
            name="scores",
            says="Scores of every answer against its golden answer. Free to make again, also with other scorers.",
            inputs=("dataset", "responses", "embeddings"),
            optional=("embeddings",),
            form="How answers are scored again.",
            options=(
                RunOption(
                    name="scorers",
                    kind=OptionKind.VALUES,
                    flag="scorer",
                    metavar="NAME",
                    help="As in text run; default the run's own.",
                    form="Other scorers than the run's own; empty: the run's own.",
                ),
            ),
        ),
        Stage(
            name="report",
            says="Report for a domain expert: one self-contained HTML page.",
            inputs=("dataset", "responses", "embeddings", "scores"),
            optional=("embeddings", "scores"),
            kinds=("html",),
        ),
        Stage(
            name="traces",
            says="One trace per item in Langfuse, with its generation and scores; off without LANGFUSE keys.",
            inputs=("dataset", "responses", "scores"),
            kinds=("langfuse",),
            may_be_left_out=True,
        ),
    ),
    rescore_from="scores",
    budget=True,
    export_shapes=("rows", "grouped"),
    verbs=("run", "show", "compare", "rescore", "export"),
    words=CommandWords(
        run="""Evaluate a model on a golden dataset as RUN: a new name of A-Z a-z 0-9 . _ -.

        Example: eval-pipeline text run first --dataset "my questions" --mode fast --model gpt-4o-mini
        """,
        detail="Add every item: question, golden answer, answer or error, scores.",
        export="Write every item (rows) or every question with all its repeats (grouped) to a file.",
        rescore="Score the stored answers of RUN again, also by other scorers, and write its report anew. "
        "Calls nobody.",
    ),
)
