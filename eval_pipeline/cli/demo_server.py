"""The stand-ins of the demo: local servers that replay recordings, in a process that ends with this one."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from eval_pipeline.core.errors import UsageError

EXAMPLES = Path(__file__).parents[2] / "examples"
GSM8K = EXAMPLES / "gsm8k"
SPEECH = EXAMPLES / "speech"
SESSIONS = EXAMPLES / "sessions"
CAREFUL, HASTY = "gemini-demo-careful", "gemini-demo-hasty"
ERROR_RATES = {
    CAREFUL: {"substitutions": 0.03, "deletions": 0.02, "insertions": 0.0, "on_silence": 0.0},
    HASTY: {"substitutions": 0.4, "deletions": 0.1, "insertions": 0.0, "on_silence": 1.0},
}
"""Of the words of a reference: what the local server plants into the transcripts of its two models."""
BOT, BOT_MODEL = "assistant", "175b_verification"
BOT_ENDPOINT = """\
endpoints:
  assistant:
    protocol: http
    request: {{url: "{url}/ask", json: {{text: "{{{{ question }}}}", user: "{{{{ item_id }}}}"}}}}
    answer: "$.data.answer"
    contexts: "$.data.sources"
    usage: {{input: "$.usage.in", output: "$.usage.out"}}
    price_per_call_usd: 0.001
"""
"""How the local bot is asked, as a team writes it for its own."""
MAX_ROWS = 2_000
MAX_BYTES = 10_000_000


@contextmanager
def demo_servers() -> Iterator[Mapping[str, str]]:
    """Run the stand-ins; gives their addresses as they announce them."""
    arguments = (
        "-m",
        "eval_pipeline.standins",
        "--watch-parent",
        "--recordings",
        str(GSM8K / "recorded_answers.jsonl"),
        "--speech-recordings",
        str(SPEECH / "recordings.jsonl"),
        "--speech-errors",
        json.dumps(ERROR_RATES),
        "--bot-model",
        BOT_MODEL,
        "--judge-script",
        str(SESSIONS / "verdicts.jsonl"),
    )
    server = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        line = server.stdout.readline() if server.stdout else ""
        if not line:
            raise UsageError("the local server did not start", code="standin_failed", hint="see the messages above")
        with tempfile.TemporaryDirectory(prefix="eval-pipeline-demo-") as folder:
            addresses = {name: str(value) for name, value in json.loads(line).items()}
            endpoints = Path(folder) / "endpoints.yaml"
            endpoints.write_text(BOT_ENDPOINT.format(url=addresses["bot_base_url"]), encoding="utf-8")
            yield {**addresses, "endpoints_file": str(endpoints)}
    finally:
        server.terminate()
        server.wait()


def demo_environment(addresses: Mapping[str, str]) -> Mapping[str, str]:
    """Return the process environment with the local servers in place of providers, and room for the whole dataset."""
    return {
        **os.environ,
        "OPENAI_BASE_URL": addresses["openai_base_url"],
        "OPENAI_API_KEY": "the-local-server-checks-none",
        "GOOGLE_GEMINI_BASE_URL": addresses["gemini_base_url"],
        "GOOGLE_API_KEY": "the-local-server-checks-none",
        "EVAL_ENDPOINTS_FILE": addresses["endpoints_file"],
        "LANGFUSE_PUBLIC_KEY": "",
        "LANGFUSE_SECRET_KEY": "",
        "EVAL_BATCH_POLL_SECONDS": "0.5",
        "EVAL_FAST_MAX_UNIQUE_ROWS": str(MAX_ROWS),
        "EVAL_FAST_MAX_FILE_BYTES": str(MAX_BYTES),
    }
