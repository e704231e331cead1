"""``eval-pipeline report``: the report of a run, wherever it is stored."""

import webbrowser
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import unquote, urlsplit

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.output import common_options, write_json
from eval_pipeline.cli.run import flow_option
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.stages import StageRef
from eval_pipeline.reporting.export_files import whole_file
from eval_pipeline.runs.life import flow_of

FILE = "report.html"


@click.command(name="report")
@click.argument("run")
@click.option("--open", "open_it", is_flag=True, help="Show it in the browser.")
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Copy it to this file.")
@flow_option
@common_options
def command(run: str, *, open_it: bool, output: Path | None, flow: str | None, project: str, as_json: bool) -> None:
    """Say where the report of RUN is; open it, or copy it, also from S3."""
    deployment = open_deployment()
    key = RunKey.of(project=project, run=run)
    stage = deployment.stages.open(StageRef(flow=flow_of(deployment, key, named=flow), key=key, stage="report"))
    url = str(stage.manifest.summary["url"])
    copied: Path | None
    if output is not None:
        copied = _copy(stage, output)
    elif open_it and not url.startswith("file:"):
        copied = _copy(stage, Path(gettempdir()) / f"{key.partition}-{stage.manifest.attempt}-{FILE}")
    else:
        copied = Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None
    if open_it and not webbrowser.open((copied or Path()).resolve().as_uri()):
        raise UsageError(
            "no browser could be started", code="no_browser", hint=f"copy the report: report {run} --output FILE"
        )
    place = url if copied is None else str(copied)
    if as_json:
        write_json({"run": run, "project": project, "url": url, "path": None if copied is None else str(copied)})
        return
    click.echo(place)


def _copy(stage: StageReader, output: Path) -> Path:
    with whole_file(output) as unfinished:
        unfinished.write_bytes(stage.file(FILE))
    return output
