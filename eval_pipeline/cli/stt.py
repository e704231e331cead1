"""``eval-pipeline stt``: transcribe recordings with several models, show and export what came out."""

from pathlib import Path
from typing import Any

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.estimate_view import write_estimate
from eval_pipeline.cli.execution import execute_and_show, rescore_and_show
from eval_pipeline.cli.flow_views import write_run
from eval_pipeline.cli.output import common_options, write_json
from eval_pipeline.cli.run_config import read_settings
from eval_pipeline.cli.run_options import export_options, launch_options, limit_options
from eval_pipeline.cli.stt_feedback import feedback
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.runs.claims import claim, requester
from eval_pipeline.runs.control import check_idle


@click.group(name="stt")
def command() -> None:
    """Speech-to-text evaluation."""


@command.command()
@click.argument("run")
@click.option("--dataset", metavar="NAME[@VERSION]", help="Audio dataset; its newest version, or the one named.")
@click.option(
    "--model",
    "models",
    metavar="[PROVIDER/]NAME",
    multiple=True,
    help="A model to compare: gemini-… is Gemini's, any other is asked over OpenAI's protocol; repeatable.",
)
@click.option(
    "--mode",
    type=click.Choice(["batch", "live"]),
    help="batch (default): at half price, within two days; models without a batch API for audio are asked live.",
)
@click.option("--prompt", metavar="TEXT", help="What a model that takes instructions is told; {language} is a hint.")
@click.option("--language", metavar="CODE", help="BCP-47 code of samples that the dataset names none for.")
@click.option(
    "--audio-transport",
    type=click.Choice(["files_api", "signed_url"]),
    help="files_api (default): clips are uploaded. signed_url: the provider fetches them from the S3 store.",
)
@click.option(
    "--speaker-column",
    metavar="COLUMN",
    help="Column of the dataset that names who speaks: clips of one speaker count together in every interval.",
)
@click.option(
    "--config",
    "config_file",
    metavar="FILE.yaml",
    type=click.Path(path_type=Path),
    help="Any of these settings; models is a list.",
)
@limit_options
@launch_options
def run(
    run: str,
    *,
    config_file: Path | None,
    estimate: bool,
    wait: bool,
    project: str,
    as_json: bool,
    **flags: Any,  # noqa: ANN401 - one option each, named as in SttRequest
) -> int:
    """Transcribe an audio dataset with every model named, as RUN: a new name of A-Z a-z 0-9 . _ -.

    Example: eval-pipeline stt run hindi-1 --dataset clips --model gemini-2.5-flash --model gemini-2.5-pro
    """
    from eval_pipeline.stt_eval.estimate import estimate_run  # noqa: PLC0415 - the same
    from eval_pipeline.stt_eval.prepare import prepare  # noqa: PLC0415 - the same
    from eval_pipeline.stt_eval.spec import SttRequest  # noqa: PLC0415 - only this verb

    deployment = open_deployment()
    request = SttRequest.from_mapping(read_settings(config_file, flags))
    prepared = prepare(request, project=project, run=run, deployment=deployment, needs_key=not estimate)
    if estimate:
        write_estimate(estimate_run(prepared, deployment=deployment), as_json=as_json)
        return 0
    claim(prepared, flow=Flow.STT, requested_by=requester(), deployment=deployment, here=wait)
    return execute_and_show(deployment, prepared.key, flow=Flow.STT, wait=wait, as_json=as_json)


@command.command()
@click.argument("run")
@click.option("--detail", is_flag=True, help="Add every sample and model: transcript or error, scores.")
@common_options
def show(run: str, *, detail: bool, project: str, as_json: bool) -> None:
    """Show what a run came to."""
    from eval_pipeline.stt_eval.view import show_run  # noqa: PLC0415 - pyarrow: only where stages are read

    document = show_run(open_deployment(), RunKey.of(project=project, run=run), detail=detail)
    write_run(document, flow=Flow.STT, as_json=as_json)


@command.command()
@click.argument("run")
@export_options
def export(run: str, *, output: Path, bom: bool, project: str, as_json: bool) -> None:
    """Write every sample and model to a file: transcript or error, scores at all levels, verdict, cost."""
    from eval_pipeline.stt_eval.view import export_run  # noqa: PLC0415 - pyarrow: only where stages are read

    rows = export_run(open_deployment(), RunKey.of(project=project, run=run), output=output, bom=bom)
    if as_json:
        write_json({"run": run, "output": str(output), "rows": rows})
        return
    click.echo(f"wrote {rows:,} rows to {output}")


@command.command()
@click.argument("run")
@click.option("--speaker-column", metavar="COLUMN", help="As in stt run; default the run's own.")
@common_options
def rescore(run: str, *, speaker_column: str | None, project: str, as_json: bool) -> int:
    """Score the stored transcripts of RUN again and write its report anew. Calls nobody."""
    deployment = open_deployment()
    key = RunKey.of(project=project, run=run)
    check_idle(deployment, flow=Flow.STT, key=key)
    deployment.stages.open(StageRef(flow=Flow.STT, key=key, stage="transcripts"))
    scoring = {"speaker_column": speaker_column} if speaker_column else {}
    return rescore_and_show(deployment, key, flow=Flow.STT, as_json=as_json, scoring=scoring)


command.add_command(feedback)
