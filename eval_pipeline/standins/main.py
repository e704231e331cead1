"""Starts the OpenAI and the Langfuse stand-in in one process, says where they listen, and waits.

One JSON line on stdout tells the base URLs and ports once both listen. SIGTERM, SIGINT, or with
``--watch-parent`` the end of stdin, end the process with exit code 0.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import orjson

from eval_pipeline.standins import langfuse, openai
from eval_pipeline.standins.batch_faults import BatchRule, read_batch_rules
from eval_pipeline.standins.faults import FaultRule, FaultRuleError, read_rules
from eval_pipeline.standins.replay import RecordingError, Recordings, read_recordings
from eval_pipeline.standins.server import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until told to end; return the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        openai_app = openai.create_app(
            openai.OpenAIOptions(
                recordings=read_recordings(given.recordings) if given.recordings else Recordings({}),
                latency_s=given.latency,
                faults=given.faults,
                batch_seconds=given.batch_seconds,
                batch_polls=given.batch_polls,
                batch_faults=given.batch_faults,
                state_folder=given.state_folder,
            ),
        )
        langfuse_app = langfuse.create_app(langfuse.LangfuseOptions(faults=given.langfuse_faults))
    except (OSError, RecordingError, FaultRuleError) as error:
        parser.error(str(error))
    with ExitStack() as running:
        openai_url = running.enter_context(serve(openai_app, port=given.port))
        langfuse_url = running.enter_context(serve(langfuse_app, port=given.langfuse_port))
        ended = _end_of_work(watch_parent=given.watch_parent)
        _tell(openai_url=openai_url, langfuse_url=langfuse_url)
        ended.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m eval_pipeline.standins", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="port of the OpenAI stand-in; 0: a free one")
    parser.add_argument("--langfuse-port", type=int, default=0, help="port of the Langfuse stand-in")
    parser.add_argument("--recordings", type=Path, metavar="FILE.jsonl", help="answers to replay")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="time every call takes")
    parser.add_argument("--faults", type=_rules, default=(), metavar="JSON", help="fault rules of OpenAI")
    parser.add_argument("--langfuse-faults", type=_rules, default=(), metavar="JSON", help="and of Langfuse")
    parser.add_argument("--batch-seconds", type=float, default=0.0, metavar="SECONDS", help="time every batch takes")
    parser.add_argument("--batch-polls", type=int, default=0, metavar="N", help="looks each phase of a batch lasts")
    parser.add_argument("--batch-faults", type=_batch_rules, default=(), metavar="JSON", help="what batches meet")
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


def _tell(*, openai_url: str, langfuse_url: str) -> None:
    document = {
        "openai_base_url": f"{openai_url}/v1",
        "openai_control_url": f"{openai_url}/__standin__",
        "openai_port": int(openai_url.rpartition(":")[2]),
        "langfuse_base_url": langfuse_url,
        "langfuse_control_url": f"{langfuse_url}/__standin__",
        "langfuse_port": int(langfuse_url.rpartition(":")[2]),
        "pid": os.getpid(),
    }
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
