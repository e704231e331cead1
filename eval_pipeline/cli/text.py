"""``eval-pipeline text``: evaluate a model on golden questions, show and export what came out."""

from pathlib import Path
from typing import Any

import click

from eval_pipeline.cli.compare_view import write_comparison
from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.estimate_view import write_estimate
from eval_pipeline.cli.execution import execute_and_show, rescore_and_show
from eval_pipeline.cli.flow_views import write_run
from eval_pipeline.cli.output import common_options, write_json, write_warning
from eval_pipeline.cli.run_config import read_settings
from eval_pipeline.cli.run_options import export_options, launch_options, limit_options
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunMode
from eval_pipeline.core.stages import StageRef
from eval_pipeline.runs.claims import claim, requester
from eval_pipeline.runs.control import check_idle


@click.group(name="text")
def command() -> None:
    """Text evaluation."""


@command.command()
@click.argument("run")
@click.option("--dataset", metavar="NAME[@VERSION]", help="Golden dataset; its newest version, or the one named.")
@click.option(
    "--mode",
    type=click.Choice([str(mode) for mode in RunMode]),
    help="batch (default): at half price, within a day. fast: live calls, for small datasets.",
)
@click.option(
    "--provider", metavar="NAME", help="openai (default): OpenAI or any compatible server (OPENAI_BASE_URL). gemini."
)
@click.option("--model", metavar="NAME", help="Model under test; default gpt-4o-mini, or gemini-2.5-flash.")
@click.option("--instructions", metavar="TEXT", help="System prompt of the assistant under test.")
@click.option(
    "--config",
    "config_file",
    metavar="FILE.yaml",
    type=click.Path(path_type=Path),
    help="Any of these settings, and model_body: what else a request takes.",
)
@click.option("--embedding-model", metavar="NAME", help="Default text-embedding-3-large, or gemini-embedding-001.")
@click.option("--embedding-dimensions", metavar="N", type=int, help="Shorter vectors, where the model offers them.")
@click.option(
    "--scorer",
    "scorers",
    metavar="NAME",
    multiple=True,
    help="cosine_similarity (default), exact_match, contains, regex:PATTERN, numeric, token_f1; repeatable.",
)
@click.option(
    "--repeats", metavar="N", type=int, help="How often each question is asked; default: the dataset's factor."
)
@limit_options
@click.option(
    "--max-cost-usd",
    metavar="USD",
    type=float,
    help="Stop, resumable (exit code 101), before the run costs more.",
)
@launch_options
def run(
    run: str,
    *,
    config_file: Path | None,
    estimate: bool,
    wait: bool,
    project: str,
    as_json: bool,
    **flags: Any,  # noqa: ANN401 - one option each, named as in TextRequest
) -> int:
    """Evaluate a model on a golden dataset as RUN: a new name of A-Z a-z 0-9 . _ -.

    Example: eval-pipeline text run first --dataset "my questions" --mode fast --model gpt-4o-mini
    """
    from eval_pipeline.text_eval.estimate import estimate_run  # noqa: PLC0415
    from eval_pipeline.text_eval.golden_check import golden_warnings  # noqa: PLC0415
    from eval_pipeline.text_eval.prepare import prepare  # noqa: PLC0415
    from eval_pipeline.text_eval.spec import TextRequest  # noqa: PLC0415 - only this verb needs the scorers

    deployment = open_deployment()
    request = TextRequest.from_mapping(read_settings(config_file, flags))
    prepared = prepare(request, project=project, run=run, deployment=deployment, needs_key=not estimate)
    if estimate:
        write_estimate(estimate_run(prepared, deployment=deployment), as_json=as_json)
        return 0
    for warning in golden_warnings(prepared, deployment=deployment):
        write_warning(f"{warning['message']}\n{warning['hint']}")
    claim(prepared, flow=Flow.TEXT, requested_by=requester(), deployment=deployment, here=wait)
    return execute_and_show(deployment, prepared.key, flow=Flow.TEXT, wait=wait, as_json=as_json)


@command.command()
@click.argument("run")
@click.option("--detail", is_flag=True, help="Add every item: question, golden answer, answer or error, scores.")
@common_options
def show(run: str, *, detail: bool, project: str, as_json: bool) -> None:
    """Show what a run came to."""
    from eval_pipeline.text_eval.view import show_run  # noqa: PLC0415 - pyarrow: only where stages are read

    document = show_run(open_deployment(), RunKey.of(project=project, run=run), detail=detail)
    write_run(document, flow=Flow.TEXT, as_json=as_json)


@command.command()
@click.argument("run")
@click.option("--format", "shape", type=click.Choice(["rows", "grouped"]), default="rows", show_default=True)
@export_options
def export(run: str, *, shape: str, output: Path, bom: bool, project: str, as_json: bool) -> None:
    """Write every item (rows) or every question with all its repeats (grouped) to a file."""
    from eval_pipeline.text_eval.view import export_run  # noqa: PLC0415 - pyarrow: only where stages are read

    deployment = open_deployment()
    rows = export_run(deployment, RunKey.of(project=project, run=run), shape=shape, output=output, bom=bom)
    if as_json:
        write_json({"run": run, "format": shape, "output": str(output), "rows": rows})
        return
    click.echo(f"wrote {rows:,} rows to {output}")


@command.command()
@click.argument("run")
@click.option("--scorer", "scorers", metavar="NAME", multiple=True, help="As in text run; default the run's own.")
@common_options
def rescore(run: str, *, scorers: tuple[str, ...], project: str, as_json: bool) -> int:
    """Score the stored answers of RUN again, also by other scorers, and write its report anew. Calls nobody."""
    from eval_pipeline.text_eval.scoring.scorers import parse_scorers  # noqa: PLC0415 - only this verb and text run need them

    parse_scorers(scorers)
    deployment = open_deployment()
    key = RunKey.of(project=project, run=run)
    check_idle(deployment, flow=Flow.TEXT, key=key)
    deployment.stages.open(StageRef(flow=Flow.TEXT, key=key, stage="responses"))
    return rescore_and_show(
        deployment, key, flow=Flow.TEXT, as_json=as_json, scoring={"scorers": list(scorers)} if scorers else {}
    )


@command.command()
@click.argument("first", metavar="RUN_A")
@click.argument("second", metavar="RUN_B")
@click.option(
    "--limit", type=click.IntRange(0, 1_000), default=10, show_default=True, help="Changed questions to show."
)
@common_options
def compare(first: str, second: str, *, limit: int, project: str, as_json: bool) -> None:
    """Compare two runs on the same dataset, question by question: is RUN_B better than RUN_A, and how sure is that?"""
    from eval_pipeline.text_eval.comparison import compare_runs  # noqa: PLC0415 - pyarrow: only where stages are read

    keys = [RunKey.of(project=project, run=run) for run in (first, second)]
    document = compare_runs(open_deployment(), keys[0], keys[1], limit=limit)
    write_json(document) if as_json else write_comparison(document)
