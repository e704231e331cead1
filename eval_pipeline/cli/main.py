"""The entry point: finds the verb without importing the others, and turns errors into messages and exit codes."""

import gc
import io
import os
import signal
import sys
import traceback
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

import click
from click.exceptions import NoArgsIsHelpError

from eval_pipeline.cli.output import error_json, write_error, write_json
from eval_pipeline.core.errors import EvalPipelineError, UsageError
from eval_pipeline.core.secrets import without_secrets
from eval_pipeline.core.system_errors import defect, explain_system
from eval_pipeline.runs.flow import plans

GROUPS = {
    "ledger": "The ledger: upgrade.",
    "endpoint": "Whom models are asked: list, try.",
    "dataset": "Golden questions and audio: add, list, show, delete.",
    "run": "Runs of every flow: list, status, retry, cancel, delete.",
}
COMMANDS = {
    "demo": "Evaluate recorded answers to real questions, end to end, without key or service.",
    "doctor": "Check keys, addresses, store, database and Dagster, and say what is wrong.",
    "report": "Where the report of a run is; opens it, or copies it, also from S3.",
    "standins": "Local servers that speak the protocols of OpenAI, Gemini, Anthropic and Langfuse.",
    "up": "Dagster UI and daemon on the same data.",
}
EXIT_ERROR = 1
EXIT_USAGE = 2
GARBAGE_THRESHOLDS = (20_000, 20, 20)
"""Importing makes a million objects that stay; Python's own (700, 10, 10) looks through them 50 times: 0.25 s."""
EXIT_INTERRUPTED = 130


class LazyGroup(click.Group):
    """Imports a verb's module when the verb is used: light verbs stay light."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all verbs."""
        del ctx
        return sorted(_overview())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one verb."""
        del ctx
        if cmd_name not in _overview():
            return None
        if (module := f"eval_pipeline.cli.{cmd_name}") and find_spec(module) is not None:
            command: click.Command = import_module(module).command
            return command
        from eval_pipeline.cli.flow_group import flow_group  # noqa: PLC0415 - only where a flow is asked for

        return flow_group(next(plan.flow for plan in plans() if plan.command == cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_overview().items()))


def _overview() -> dict[str, str]:
    """Name every verb with what it is for."""
    flows = {plan.command: f"{plan.title}: {', '.join(plan.verbs)}." for plan in plans()}
    return {**GROUPS, **COMMANDS, **flows}


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda ctx, _, wished: _show_version(ctx) if wished else None,
    help="Show the version, with the commit where there is one, and exit.",
)
def cli() -> None:
    """Evaluate LLM systems: golden questions in, scored, explained, priced and auditable reports out."""


def _show_version(ctx: click.Context) -> None:
    from eval_pipeline.storage.code_version import code_version  # noqa: PLC0415 - asks git

    click.echo(f"eval-pipeline, version {code_version()}")
    ctx.exit()


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without Unicode still shows everything
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup has it ignored
        signal.signal(signal.SIGHUP, _hang_up)
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # Arrow's own keeps 60 MB more
    code = run_command(sys.argv[1:])
    gc.freeze()  # else the interpreter walks all that was imported once more before it ends: 0.4 s
    sys.exit(code)


def _hang_up(_number: int, _frame: FrameType | None) -> None:
    """End as a command ends that is asked to: its terminal was closed."""
    os.kill(os.getpid(), signal.SIGTERM)


def run_command(arguments: list[str]) -> int:
    """Run one command and return its exit code: 0, 1 error, 2 usage, 100 gate, 101 incomplete, 130 interrupted."""
    as_json = "--json" in arguments
    try:
        result = cli.main(args=arguments, prog_name="eval-pipeline", standalone_mode=False)
    except NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return EXIT_USAGE
    except BrokenPipeError:  # whoever read the output has enough of it
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - open until the process ends
        return EXIT_ERROR
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the outermost line: nothing ends without a word
        told = _explain(error)
        write_json({"error": error_json(told)}) if as_json else write_error(told)
        return _exit_code(error)
    return result if isinstance(result, int) else 0


def _explain(error: BaseException) -> EvalPipelineError:
    match error:
        case EvalPipelineError():
            return error
        case click.Abort() | KeyboardInterrupt():
            return EvalPipelineError("interrupted", code="interrupted", hint="what was done is kept")
        case click.ClickException():
            return _usage_error(error)
        case _:
            return explain_system(error) or _defect(error)


def _exit_code(error: BaseException) -> int:
    match error:
        case EvalPipelineError():
            return error.exit_code
        case click.Abort() | KeyboardInterrupt():
            return EXIT_INTERRUPTED
        case click.ClickException():
            return EXIT_USAGE
        case _:
            return EXIT_ERROR


def _usage_error(error: click.ClickException) -> UsageError:
    help_of = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "eval-pipeline"
    return UsageError(error.format_message(), code="usage", hint=f"{help_of} --help")


def _defect(error: BaseException) -> EvalPipelineError:
    error = without_secrets(error)
    traceback.print_exception(error)
    return defect(error)
