"""Starts the OpenAI, Gemini, Anthropic and Langfuse stand-ins in one process, says where they listen, and waits.

One JSON line on stdout tells the base URLs and ports once all listen. SIGTERM, SIGINT, or with
``--watch-parent`` the end of stdin, end the process with exit code 0.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import orjson
from starlette.applications import Starlette

from eval_pipeline.standins.anthropic import app as anthropic
from eval_pipeline.standins.batch_faults import ANTHROPIC_SCENARIOS, GEMINI_SCENARIOS, BatchRule, read_batch_rules
from eval_pipeline.standins.bot import app as bot
from eval_pipeline.standins.faults import FaultRule, FaultRuleError, read_rules
from eval_pipeline.standins.gemini import app as gemini
from eval_pipeline.standins.judge_script import JudgeScript, read_script
from eval_pipeline.standins.langfuse import app as langfuse
from eval_pipeline.standins.openai import app as openai
from eval_pipeline.standins.openai.dialects import Dialect
from eval_pipeline.standins.replay import RecordingError, Recordings, read_recordings
from eval_pipeline.standins.server import serve
from eval_pipeline.standins.speech import Speech, read_rates, read_speech
from eval_pipeline.standins.speech_errors import ErrorRates


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to end; return the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        apps = _apps(given)
    except (OSError, RecordingError, FaultRuleError) as error:
        parser.error(str(error))
    ports = {
        "openai": given.port,
        "gemini": given.gemini_port,
        "anthropic": given.anthropic_port,
        "langfuse": given.langfuse_port,
        "bot": given.bot_port,
    }
    with ExitStack() as running:
        urls = {name: running.enter_context(serve(app, port=ports[name])) for name, app in apps.items()}
        ended = _end_of_work(watch_parent=given.watch_parent)
        _tell(urls)
        ended.wait()
    return 0


def _apps(given: argparse.Namespace) -> dict[str, Starlette]:
    """Build the stand-ins by name."""
    recordings = read_recordings(given.recordings) if given.recordings else Recordings({})
    clips = read_speech(given.speech_recordings) if given.speech_recordings else {}
    judge_script = read_script(given.judge_script) if given.judge_script else JudgeScript()
    openai_options = openai.OpenAIOptions(
        recordings=recordings,
        speech=Speech(clips, dict(given.speech_errors)),
        judge_script=judge_script,
        latency_s=given.latency,
        faults=given.faults,
        batch_seconds=given.batch_seconds,
        batch_polls=given.batch_polls,
        batch_faults=given.batch_faults,
        state_folder=given.state_folder,
        dialect=given.openai_dialect,
    )
    gemini_options = gemini.GeminiOptions(
        recordings=recordings,
        speech=Speech(clips, dict(given.speech_errors)),
        judge_script=judge_script,
        latency_s=given.latency,
        faults=given.gemini_faults,
        batch_seconds=given.batch_seconds,
        batch_polls=given.batch_polls,
        batch_faults=given.gemini_batch_faults,
        state_folder=given.state_folder,
    )
    anthropic_options = anthropic.AnthropicOptions(
        recordings=recordings,
        judge_script=judge_script,
        latency_s=given.latency,
        faults=given.anthropic_faults,
        batch_seconds=given.batch_seconds,
        batch_polls=given.batch_polls,
        batch_faults=given.anthropic_batch_faults,
        state_folder=given.state_folder,
    )
    return {
        "openai": openai.create_app(openai_options),
        "gemini": gemini.create_app(gemini_options),
        "anthropic": anthropic.create_app(anthropic_options),
        "bot": bot.create_app(bot.BotOptions(recordings=recordings, model=given.bot_model, latency_s=given.latency)),
        "langfuse": langfuse.create_app(langfuse.LangfuseOptions(faults=given.langfuse_faults)),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eval_pipeline.standins", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the OpenAI stand-in; 0: a free one")
    parser.add_argument(
        "--openai-dialect",
        type=Dialect,
        default=Dialect.OPENAI,
        metavar="NAME",
        help=f"the server that it resembles: {', '.join(Dialect)}",
    )
    parser.add_argument("--gemini-port", type=int, default=0, help="port of the Gemini stand-in")
    parser.add_argument("--anthropic-port", type=int, default=0, help="port of the Anthropic stand-in")
    parser.add_argument("--bot-port", type=int, default=0, help="port of a small assistant behind HTTP")
    parser.add_argument("--bot-model", default=bot.MODEL, metavar="NAME", help="whose recorded answers it gives")
    parser.add_argument("--langfuse-port", type=int, default=0, help="port of the Langfuse stand-in")
    parser.add_argument("--recordings", type=Path, metavar="FILE.jsonl", help="answers to replay")
    parser.add_argument("--speech-recordings", type=Path, metavar="FILE.jsonl", help="references of clips by sha256")
    parser.add_argument("--speech-errors", type=_rates, default={}, metavar="JSON", help="error rates by model, or *")
    parser.add_argument("--judge-script", type=Path, metavar="FILE.jsonl", help="what judges say of which item")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="time every call takes")
    parser.add_argument("--faults", type=_rules, default=(), metavar="JSON", help="fault rules of OpenAI")
    parser.add_argument("--gemini-faults", type=_rules, default=(), metavar="JSON", help="and of Gemini")
    parser.add_argument("--anthropic-faults", type=_rules, default=(), metavar="JSON", help="and of Anthropic")
    parser.add_argument("--langfuse-faults", type=_rules, default=(), metavar="JSON", help="and of Langfuse")
    parser.add_argument("--batch-seconds", type=float, default=0.0, metavar="SECONDS", help="time every batch takes")
    parser.add_argument("--batch-polls", type=int, default=0, metavar="N", help="looks each phase of a batch lasts")
    parser.add_argument("--batch-faults", type=_batch_rules, default=(), metavar="JSON", help="what batches meet")
    parser.add_argument(
        "--gemini-batch-faults", type=_gemini_batch_rules, default=(), metavar="JSON", help="and those of Gemini"
    )
    parser.add_argument(
        "--anthropic-batch-faults", type=_anthropic_batch_rules, default=(), metavar="JSON", help="and of Anthropic"
    )
    parser.add_argument("--state-folder", type=Path, metavar="FOLDER", help="keeps files and batches for a restart")
    parser.add_argument("--watch-parent", action="store_true", help="end when stdin, a pipe, is closed")
    return parser


def _rules(text: str) -> tuple[FaultRule, ...]:
    try:
        return tuple(read_rules(orjson.loads(text)))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _batch_rules(text: str) -> tuple[BatchRule, ...]:
    try:
        return tuple(read_batch_rules(orjson.loads(text)))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _gemini_batch_rules(text: str) -> tuple[BatchRule, ...]:
    try:
        return tuple(read_batch_rules(orjson.loads(text), able=GEMINI_SCENARIOS))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _anthropic_batch_rules(text: str) -> tuple[BatchRule, ...]:
    try:
        return tuple(read_batch_rules(orjson.loads(text), able=ANTHROPIC_SCENARIOS))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _rates(text: str) -> dict[str, ErrorRates]:
    try:
        return read_rates(orjson.loads(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _tell(urls: Mapping[str, str]) -> None:
    document: dict[str, object] = {}
    for name, url in urls.items():
        document[f"{name}_base_url"] = f"{url}/v1" if name == "openai" else url
        document[f"{name}_control_url"] = f"{url}/__standin__"
        document[f"{name}_port"] = int(url.rpartition(":")[2])
    document["pid"] = os.getpid()
    sys.stdout.write(orjson.dumps(document).decode() + "\n")
    sys.stdout.flush()


def _end_of_work(*, watch_parent: bool) -> threading.Event:
    """Return the event that is set when the process should end."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if watch_parent:
        threading.Thread(target=_wait_for_parent, args=(ended,), name="parent", daemon=True).start()
    return ended


def _wait_for_parent(ended: threading.Event) -> None:
    """Read a pipe that only the parent holds: the kernel closes it even when the parent is killed."""
    while os.read(0, 4096):
        pass
    ended.set()
