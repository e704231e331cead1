"""The entry point: finds the verb without importing the others, and turns errors into messages and exit codes."""

import json
import sys
from importlib import import_module

import click

from eval_pipeline.core.errors import EvalPipelineError

GROUPS = {
    "dataset": "Golden datasets: add, list, show, delete.",
    "text": "Text evaluation: run, show, export.",
    "run": "Runs of every flow: list, status, retry, cancel, delete.",
}
COMMANDS = {
    "demo": "Evaluate recorded answers to real questions, end to end, without key or service.",
    "doctor": "Check keys, addresses, store, database and Dagster, and say what is wrong.",
    "standins": "Local servers that speak the OpenAI and Langfuse protocols.",
    "up": "Dagster UI and daemon on the same data.",
}
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class LazyGroup(click.Group):
    """Imports a verb's module when the verb is used: light verbs stay light."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all verbs."""
        del ctx
        return sorted({**GROUPS, **COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        del ctx
        if cmd_name not in {**GROUPS, **COMMANDS}:
            return None
        command: click.Command = import_module(f"eval_pipeline.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted({**GROUPS, **COMMANDS}.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="eval-pipeline", prog_name="eval-pipeline")
def cli() -> None:
    """Evaluate LLM systems: golden questions in, scored, explained, priced and auditable reports out."""


def main() -> None:
    """Run the command line."""
    sys.exit(run_command(sys.argv[1:]))


def run_command(arguments: list[str]) -> int:
    """Run one command and return its exit code: 0, 1 error, 2 usage, 100 gate, 101 incomplete, 130 interrupted."""
    as_json = "--json" in arguments
    try:
        result = cli.main(args=arguments, prog_name="eval-pipeline", standalone_mode=False)
    except EvalPipelineError as error:
        tell_error(error.code, message=error.message, hint=error.hint, as_json=as_json)
        return error.exit_code
    except click.ClickException as error:
        return _tell_usage(error, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        tell_error("interrupted", message="interrupted", hint="everything that was done is kept", as_json=as_json)
        return EXIT_INTERRUPTED
    return result if isinstance(result, int) else 0


def _tell_usage(error: click.ClickException, *, as_json: bool) -> int:
    help_of = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "eval-pipeline"
    tell_error("usage", message=error.format_message(), hint=f"{help_of} --help", as_json=as_json)
    return EXIT_USAGE


def tell_error(code: str, *, message: str, hint: str, as_json: bool) -> None:
    """Write an error: on stderr for people, as one document on stdout for scripts."""
    if as_json:
        click.echo(json.dumps({"error": {"code": code, "message": message, "hint": hint}}, ensure_ascii=False))
        return
    click.echo(f"{click.style('error', fg='red', bold=True)}: {message}", err=True)
    if hint:
        click.echo(f"{click.style('hint', fg='cyan', bold=True)}: {hint}", err=True)
