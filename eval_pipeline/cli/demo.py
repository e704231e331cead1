"""``eval-pipeline demo``: real questions, recorded answers of two models, the whole flow; no key, no service.

The answers are replayed by a local server that speaks the OpenAI protocol, so everything but the models is real.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import click

from eval_pipeline.cli.compare_view import verdict_sentence
from eval_pipeline.cli.execution import run_outcome
from eval_pipeline.cli.output import write_table
from eval_pipeline.cli.progress import show_progress, write_line
from eval_pipeline.cli.waiting import follow
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import DEFAULT_PROJECT, RunKey
from eval_pipeline.core.runs import Flow, RunMode
from eval_pipeline.text_eval.spec import TextRequest
from eval_pipeline.wiring import text_runs
from eval_pipeline.wiring.catalog import add_dataset
from eval_pipeline.wiring.claims import claim
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.text_compare import compare_runs
from eval_pipeline.wiring.text_show import show_run

EXAMPLES = Path(__file__).parents[2] / "examples"
GSM8K = EXAMPLES / "gsm8k"
MAX_ROWS = 2_000
MAX_BYTES = 10_000_000


@dataclass(frozen=True, slots=True)
class DemoRun:
    """One run of the demo."""

    name: str
    dataset: str
    model: str
    repeats: int
    concurrency: int
    mode: RunMode = RunMode.FAST


RUNS = (
    DemoRun("ten-questions", dataset="gsm8k ten questions", model="175b_verification", repeats=5, concurrency=10),
    DemoRun(
        "gsm8k-finetuning", dataset="gsm8k", model="175b_finetuning", repeats=1, concurrency=50, mode=RunMode.BATCH
    ),
    DemoRun("gsm8k-verification", dataset="gsm8k", model="175b_verification", repeats=1, concurrency=50),
)


@click.command(name="demo")
def command() -> int:
    """Evaluate recorded answers to real questions, end to end, without key or service."""
    if not GSM8K.is_dir():
        raise UsageError(
            f"the examples are not at {EXAMPLES}",
            code="examples_missing",
            hint="run the demo in a checkout of the project",
        )
    click.echo(
        "Two language models answered 1,319 school maths questions (GSM8K). Their recorded answers are replayed by a"
    )
    click.echo("local server that speaks the OpenAI protocol: no key is needed, nothing leaves this machine.\n")
    with replay_server() as base_url:
        codes = _evaluate(base_url)
    click.echo(
        "\nBrowse the runs, their stages and lineage in the Dagster UI: make ui, then open http://127.0.0.1:3000"
    )
    return max(codes)


@contextmanager
def replay_server() -> Iterator[str]:
    """Run the stand-in that replays the recordings; it ends with this process, however that ends."""
    arguments = (
        "-m",
        "eval_pipeline.standins",
        "--watch-parent",
        "--recordings",
        str(GSM8K / "recorded_answers.jsonl"),
    )
    server = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        line = server.stdout.readline() if server.stdout else ""
        if not line:
            raise UsageError("the local server did not start", code="standin_failed", hint="see the messages above")
        yield str(json.loads(line)["openai_base_url"])
    finally:
        server.terminate()
        server.wait()


def _evaluate(base_url: str) -> list[int]:
    deployment = Deployment(environ=demo_environment(base_url))
    _add_datasets(deployment)
    series = _free_series(deployment)
    rows, codes, reports = [], [], []
    for planned in RUNS:
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


def demo_environment(base_url: str) -> Mapping[str, str]:
    """Return the process environment with the local server in place of OpenAI, and room for the whole dataset."""
    return {
        **os.environ,
        "OPENAI_BASE_URL": base_url,
        "OPENAI_API_KEY": "the-local-server-checks-none",
        "LANGFUSE_PUBLIC_KEY": "",
        "LANGFUSE_SECRET_KEY": "",
        "EVAL_BATCH_POLL_SECONDS": "0.5",
        "EVAL_FAST_MAX_UNIQUE_ROWS": str(MAX_ROWS),
        "EVAL_FAST_MAX_FILE_BYTES": str(MAX_BYTES),
    }


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
    baseline, candidate = (RunKey(DEFAULT_PROJECT, f"demo-{series}-{planned.name}") for planned in RUNS[1:])
    numeric = compare_runs(deployment, baseline, candidate, limit=0)["scores"][0]
    click.echo(
        f"\nIs {RUNS[2].model} better than {RUNS[1].model}? Question by question: "
        f"{numeric['wins']:,} won, {numeric['losses']:,} lost, {numeric['ties']:,} tied."
    )
    click.echo(verdict_sentence(numeric, second=candidate.run))


def _free_series(deployment: Deployment) -> int:
    """Number this demo: earlier ones keep their runs."""
    series = 1
    while any(
        deployment.ledger.find_run(flow=Flow.TEXT, key=RunKey(DEFAULT_PROJECT, f"demo-{series}-{planned.name}"))
        for planned in RUNS
    ):
        series += 1
    return series


def _run(deployment: Deployment, key: RunKey, planned: DemoRun) -> tuple[int, dict[str, Any]]:
    """Evaluate as ``text run`` does; returns the exit code and what ``text show`` says."""
    from eval_pipeline.defs.launch import execute_run  # noqa: PLC0415 - dagster: while the server starts

    request = TextRequest(
        dataset=planned.dataset,
        mode=planned.mode,
        model=planned.model,
        scorers=("numeric", "cosine_similarity"),
        repeats=planned.repeats,
        concurrency=planned.concurrency,
    )
    prepared = text_runs.prepare(request, project=key.project, run=key.run, deployment=deployment)
    claim(prepared, flow=Flow.TEXT, requested_by="demo", deployment=deployment, here=True)
    click.echo(f"{key.run}: {planned.model} answers {prepared.spec.total_items_count:,} items, {planned.mode}")
    with show_progress() as progress:
        problem = execute_run(deployment, key, flow=Flow.TEXT, progress=progress)
        problem = follow(deployment, key, flow=Flow.TEXT, progress=progress, say=write_line, problem=problem)
    if problem is not None:
        raise problem
    return run_outcome(deployment, key, flow=Flow.TEXT), show_run(deployment, key, detail=False)


def _row(key: RunKey, planned: DemoRun, document: Mapping[str, Any], *, seconds: float) -> tuple[str, ...]:
    scores = {score["name"]: score for score in document["summary_scores"]}
    numeric, similarity = scores["numeric"], scores["cosine_similarity"]
    correct = numeric["distribution"]["true"]
    total = document["cost"]["total_cost_usd"]
    return (
        key.run,
        str(planned.mode),
        planned.model,
        f"{document['counts']['total']:,}",
        f"{correct:,} of {numeric['total_pairs']:,}",
        f"{numeric['ci_low']:.1%} to {numeric['ci_high']:.1%}",
        f"{similarity['avg']:.3f}",
        "unknown" if total is None else f"${total:.4f}",
        f"{seconds:.1f} s",
    )
