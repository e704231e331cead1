"""``eval-pipeline endpoint``: whom models can be asked, and one question to one of them."""

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.output import common_options, printable, write_json, write_table
from eval_pipeline.core.names import validate_project
from eval_pipeline.wiring.endpoint_trial import SHORT_QUESTION, Trial, describe, try_endpoint


@click.group(name="endpoint")
def command() -> None:
    """Whom models are asked: the built-in endpoints, and those of EVAL_ENDPOINTS_FILE."""


@command.command(name="list")
@common_options
def list_endpoints(*, project: str, as_json: bool) -> None:
    """List the endpoints of a project, without their keys. Asks nobody: eval-pipeline doctor does."""
    endpoints = open_deployment().endpoints(validate_project(project))
    told = [describe(endpoint) for endpoint in endpoints.values()]
    if as_json:
        write_json({"file": None if endpoints.file is None else str(endpoints.file), "endpoints": told})
        return
    rows = [
        [*(one[column] for column in ("name", "protocol", "base_url", "key")), _yes(one["batches"]), one["concurrency"]]
        for one in told
    ]
    write_table(("name", "protocol", "address", "key", "batches", "at once"), rows)
    if endpoints.file is not None:
        click.echo(f"from {endpoints.file}, beside the built-in ones", err=True)


@command.command(name="try")
@click.argument("model", metavar="NAME[/MODEL]")
@click.option("--question", metavar="TEXT", default=SHORT_QUESTION, show_default=True, help="What it is asked, once.")
@click.option("--structured", is_flag=True, help="Ask for JSON by a schema: does the server keep to one?")
@common_options
def try_one(model: str, *, question: str, structured: bool, project: str, as_json: bool) -> int:
    """Ask an endpoint one question: shows the request without its secrets, the answer, and what was found in it.

    Without MODEL the first one of the server's own list is asked. One call is paid for, if the server charges.

    Example: eval-pipeline endpoint try ollama/gemma3 --question "Who are you?"
    """
    deployment = open_deployment()
    trial = try_endpoint(deployment, model, question=question, structured=structured, project=validate_project(project))
    if as_json:
        write_json(trial.to_json())
    else:
        _write(trial)
    return 0 if trial.is_answered else 1


def _yes(claim: object) -> str:
    return "yes" if claim else "no"


def _write(trial: Trial) -> None:
    for name, value in trial.lines():
        click.echo(f"{click.style(f'{name}:', bold=True)} {printable(value)}")
