"""The text part of the demo: two models' recorded answers to 1,319 school maths questions, fast and in batches.

And ten answers in a file, as a team has them that recorded its own assistant.
"""

from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import click

from eval_pipeline.cli.compare_view import verdict_sentence
from eval_pipeline.cli.demo_server import BOT, GSM8K
from eval_pipeline.cli.execution import run_outcome
from eval_pipeline.cli.output import write_table
from eval_pipeline.cli.progress import show_progress, write_line
from eval_pipeline.cli.waiting import execute_to_its_end
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.names import DEFAULT_PROJECT, RunKey
from eval_pipeline.core.paid_standing import PaidStanding
from eval_pipeline.core.runs import Flow, RunMode
from eval_pipeline.runs.claims import claim
from eval_pipeline.text_eval.catalog import add_dataset
from eval_pipeline.text_eval.comparison import compare_runs
from eval_pipeline.text_eval.prepare import prepare
from eval_pipeline.text_eval.request import TextRequest
from eval_pipeline.text_eval.view import show_run
from eval_pipeline.wiring.deployment import Deployment


@dataclass(frozen=True, slots=True)
class DemoRun:
    """One run of the demo."""

    name: str
    dataset: str
    model: str
    repeats: int
    concurrency: int
    mode: RunMode = RunMode.FAST
    scorers: tuple[str, ...] = ("numeric", "cosine_similarity")
    answers: Path | None = None
    """A file of answers that exist already; nobody is asked for them."""


RECORDED = DemoRun(
    "ten-recorded",
    dataset="gsm8k ten questions",
    model="175b_finetuning",
    repeats=1,
    concurrency=10,
    scorers=("numeric",),
    answers=GSM8K / "ten_recorded_answers.csv",
)
RUNS = (
    DemoRun("ten-questions", dataset="gsm8k ten questions", model="175b_verification", repeats=5, concurrency=10),
    DemoRun(
        "gsm8k-finetuning", dataset="gsm8k", model="175b_finetuning", repeats=1, concurrency=50, mode=RunMode.BATCH
    ),
    DemoRun("gsm8k-verification", dataset="gsm8k", model="175b_verification", repeats=1, concurrency=50),
    DemoRun("own-bot", dataset="gsm8k ten questions", model=BOT, repeats=1, concurrency=5, scorers=("numeric",)),
)


def evaluate_texts(deployment: Deployment, *, series: int) -> list[int]:
    """Run the text evaluations and print what they came to; returns their exit codes."""
    _add_datasets(deployment)
    rows, codes, reports = [], [], []
    for planned in (RECORDED, *RUNS):
        key = RunKey.of(project=DEFAULT_PROJECT, run=f"demo-{series}-{planned.name}")
        began_s = monotonic()
        code, document = _run(deployment, key, planned)
        codes.append(code)
        rows.append(_row(key, planned, document, seconds=monotonic() - began_s))
        reports.append((key.run, document["report"]))
    click.echo()
    write_table(("RUN", "MODE", "MODEL", "ITEMS", "CORRECT", "95 % INTERVAL", "SIMILARITY", "COST", "TIME"), rows)
    _write_verdict(deployment, series)
    click.echo("\nThe recorded models have no published price; the price of embeddings is in the reports. Reports:")
    for run, report in reports:
        click.echo(f"  {run}: {report}")
    return codes


def _add_datasets(deployment: Deployment) -> None:
    for name, file in (("gsm8k ten questions", "ten_questions.csv"), ("gsm8k", "questions.jsonl")):
        add_dataset(
            ledger=deployment.ledger,
            objects=deployment.objects,
            project=DEFAULT_PROJECT,
            name=name,
            path=GSM8K / file,
            duplication_factor=None,
            description="Grade-school maths questions of openai/grade-school-math (MIT)",
            settings=deployment.settings,
        )


def _write_verdict(deployment: Deployment, series: int) -> None:
    """Answer the question that two runs on one dataset are made for."""
    baseline, candidate = (RunKey(DEFAULT_PROJECT, f"demo-{series}-{planned.name}") for planned in RUNS[1:3])
    numeric = compare_runs(deployment, baseline, candidate, limit=0)["scores"][0]
    click.echo(
        f"\nIs {RUNS[2].model} better than {RUNS[1].model}? Question by question: "
        f"{numeric['wins']:,} won, {numeric['losses']:,} lost, {numeric['ties']:,} tied."
    )
    click.echo(verdict_sentence(numeric, second=candidate.run))


def _run(deployment: Deployment, key: RunKey, planned: DemoRun) -> tuple[int, JsonDict]:
    """Evaluate as ``text run`` does; returns the exit code and what ``text show`` says."""
    request = TextRequest(
        dataset=planned.dataset,
        mode=planned.mode,
        answers=None if planned.answers is None else str(planned.answers),
        model=planned.model,
        scorers=planned.scorers,
        repeats=planned.repeats,
        concurrency=planned.concurrency,
    )
    prepared = prepare(request, project=key.project, run=key.run, deployment=deployment)
    claim(prepared, flow=Flow.TEXT, requested_by="demo", deployment=deployment, here=True)
    click.echo(f"{key.run}: {_what_happens(planned, items=prepared.spec.total_items_count)}")
    with show_progress() as progress:
        problem = execute_to_its_end(deployment, key, flow=Flow.TEXT, progress=progress, say=write_line)
    if problem is not None:
        raise problem
    return run_outcome(deployment, key, flow=Flow.TEXT), show_run(deployment, key, detail=False)


def _what_happens(planned: DemoRun, *, items: int) -> str:
    if planned.answers is None:
        return f"{planned.model} answers {counted(items, 'item')}, {planned.mode}"
    return f"{items:,} answers of {planned.model} come from a file, nobody is asked for them"


def _row(key: RunKey, planned: DemoRun, document: Json, *, seconds: float) -> tuple[str, ...]:
    scores = {score["name"]: score for score in document["summary_scores"]}
    numeric, similarity = scores["numeric"], scores.get("cosine_similarity")
    correct = numeric["distribution"]["true"]
    standing = PaidStanding.of(document)
    total = None if standing.cost is None else standing.cost.cost_usd
    return (
        key.run,
        str(planned.mode) if planned.answers is None else "recorded",
        planned.model,
        f"{standing.counts.total:,}",
        f"{correct:,} of {numeric['total_pairs']:,}",
        f"{numeric['ci_low']:.1%} to {numeric['ci_high']:.1%}",
        "" if similarity is None else f"{similarity['avg']:.3f}",
        "unknown" if total is None else f"${total:.4f}",
        f"{seconds:.1f} s",
    )
