"""The speech flow as it is declared: its stages, what a person may set, what the command line says of it."""

from eval_pipeline.core.documents import Json
from eval_pipeline.core.options import RunOption, config_file, options_of
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.flow import Asks, CommandWords, FlowPlan, Paid, Stage
from eval_pipeline.stt_eval.request import SttRequest


def _models(spec: Json) -> int:
    from eval_pipeline.stt_eval.spec import SttSpec  # noqa: PLC0415 - not when this loads

    return len(SttSpec.from_json(spec).models)


PLAN = FlowPlan(
    flow=Flow.STT,
    command="stt",
    title="Speech-to-text evaluation",
    says="Transcribe recordings with several models, and say which one to use.",
    stages=(
        Stage(
            name="spec",
            says="Frozen specification of the run: dataset version, models, prompt, thresholds, with a hash.",
            kinds=("json",),
            options=(*options_of(SttRequest), config_file("Any of these settings; models is a list.")),
            form="What to transcribe. Leave everything empty to make the stages of a run again as it was specified.",
        ),
        Stage(
            name="dataset",
            says="Samples of the pinned dataset version: clips, references, languages.",
            inputs=("spec",),
        ),
        Stage(
            name="transcription_batch",
            says="Clips and batches at the provider, one batch for each model and shard; a fast run needs none.",
            inputs=("dataset",),
            kinds=("gemini",),
            submits_for="transcripts",
        ),
        Stage(
            name="transcripts",
            says="Transcript of every clip by every model, or the reason why there is none.",
            inputs=("dataset", "transcription_batch"),
            kinds=("gemini", "openai", "parquet"),
            paid=Paid(
                pool="speech",
                threshold="failed / total is not greater than the run's threshold; "
                "counted over all samples and models.",
                asks=Asks(rows_of="dataset", each=_models),
            ),
        ),
        Stage(
            name="scores",
            says="Error rates of every transcript at three levels; which model is better, how sure that is. "
            "Free to make again.",
            inputs=("dataset", "transcripts"),
            form="How transcripts are scored again.",
            options=(
                RunOption(
                    name="speaker_column",
                    metavar="COLUMN",
                    help="As in stt run; default the run's own.",
                    form="Another column that names who speaks than the run's own; empty: the run's own.",
                ),
                RunOption(
                    name="dataset",
                    metavar="NAME[@VERSION]",
                    help="Score against the references of this version, corrected since; default those used last.",
                    form="Version of a dataset whose references count, as in clips@3f2a; empty: those used last.",
                ),
            ),
        ),
        Stage(
            name="report",
            says="Report for the people who choose a model: one HTML page with players and word diffs, CSV and JSON "
            "beside it.",
            inputs=("dataset", "transcripts", "scores"),
            optional=("scores",),
            kinds=("html",),
        ),
    ),
    rescore_from="scores",
    verbs=("run", "show", "rescore", "export", "feedback"),
    words=CommandWords(
        run="""Transcribe an audio dataset with every model named, as RUN: a new name of A-Z a-z 0-9 . _ -.

        Example: eval-pipeline stt run hindi-1 --dataset clips --model gemini-2.5-flash --model gemini-2.5-pro
        """,
        detail="Add every sample and model: transcript or error, scores.",
        export="Write every sample and model to a file: transcript or error, scores at all levels, verdict, cost.",
        rescore="Score the stored transcripts of RUN again and write its report anew. Calls nobody.",
    ),
)
