"""Whole runs against the stand-in: from process start to a finished run that Dagster has recorded."""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.datasets import write_golden_file
from benchmarks.measure import Finished, ProcessFailedError, run

EVAL_PIPELINE = str(Path(sys.executable).with_name("eval-pipeline"))
_LIFTED_LIMITS = {"EVAL_FAST_MAX_UNIQUE_ROWS": "10000000", "EVAL_FAST_MAX_FILE_BYTES": "100000000000"}
ASKED = ("openai", "anthropic", "bot")
"""Stand-ins that answer questions."""
_FOREIGN = ("PYTHON", "EVAL_", "OPENAI_", "LANGFUSE_", "GEMINI_", "GOOGLE_", "ANTHROPIC_", "DAGSTER_")


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """A home of its own with stand-ins beside it."""

    folder: Path
    environ: dict[str, str]
    control_urls: tuple[str, ...]
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _added: set[int] = field(default_factory=set)

    @property
    def control_url(self) -> str:
        """Of the stand-in that has batches, too."""
        return self.control_urls[0]

    def command(self, *arguments: str) -> Finished:
        """Run one ``eval-pipeline`` command to its end."""
        return run([EVAL_PIPELINE, *arguments], folder=self.folder, environ=self.environ)

    def text_run(
        self,
        *,
        items: int,
        latency_s: float = 0.0,
        concurrency: int = 10,
        dimensions: int | None = None,
        model: str = "gpt-4o-mini",
    ) -> Finished:
        """Evaluate so many items and check that every one was answered and compared."""
        self.set_latency(latency_s)
        arguments = ["--mode", "fast", "--model", model, "--concurrency", str(concurrency)]
        if dimensions is not None:
            arguments += ["--embedding-dimensions", str(dimensions)]
        name = f"run-{next(self._numbers)}"
        finished = self.command("text", "run", name, "--dataset", self.add_items(items), *arguments, "--json")
        _check(json.loads(finished.output), items=items)
        return finished

    def add_items(self, items: int) -> str:
        """Add a golden dataset of so many questions, once, and return its name."""
        name = f"items-{items}"
        if items not in self._added:
            path = write_golden_file(self.folder / f"{name}.csv", rows=items)
            self.command("dataset", "add", name, str(path))
            path.unlink()
            self._added.add(items)
        return name

    def set_latency(self, latency_s: float) -> None:
        """Let every stand-in take so long for an answer."""
        body = json.dumps({"latency_s": latency_s}).encode()
        for url in self.control_urls:
            request = urllib.request.Request(f"{url}/settings", data=body, method="POST")
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()


def _check(document: dict[str, Any], *, items: int) -> None:
    scored = [score["total_pairs"] for score in document["summary_scores"]]
    if document["state"] != "completed" or document["counts"]["ok"] != items or scored != [items]:
        raise ProcessFailedError(
            f"the run is {document['state']}, {document['counts']['ok']} of {items} items are ok, {scored} are scored"
        )


@contextmanager
def open_site() -> Iterator[Site]:
    """Start the stand-in, make a home and use it once, for a first opening is not what is measured."""
    with tempfile.TemporaryDirectory(prefix="eval-pipeline-bench-") as name, _standin(Path(name)) as urls:
        foreign = [variable for variable in os.environ if variable.startswith(_FOREIGN)]
        environ = {variable: value for variable, value in os.environ.items() if variable not in foreign}
        environ |= {
            **_LIFTED_LIMITS,
            "EVAL_PIPELINE_HOME": str(Path(name, "home")),
            "PYTHONPYCACHEPREFIX": str(Path(name, "bytecode")),  # compiled by the first use, wherever this is installed
            "OPENAI_BASE_URL": urls["openai_base_url"],
            "OPENAI_API_KEY": "stand-in",
            "EVAL_ENDPOINTS_FILE": str(_write_endpoints(Path(name, "endpoints.yaml"), urls)),
        }
        site = Site(
            folder=Path(name), environ=environ, control_urls=tuple(urls[f"{asked}_control_url"] for asked in ASKED)
        )
        site.text_run(items=1)
        yield site


def _write_endpoints(path: Path, urls: Mapping[str, str]) -> Path:
    """Write the stand-ins down that are asked in the protocols beside the first."""
    key = {"key": "${OPENAI_API_KEY}"}
    endpoints = {
        "chat": {"protocol": "openai_chat", "base_url": urls["openai_base_url"], **key},
        "claude": {"protocol": "anthropic", "base_url": urls["anthropic_base_url"], **key},
        "bot": {
            "protocol": "http",
            "request": {"url": f"{urls['bot_base_url']}/ask", "json": {"text": "{{ question }}"}},
            "answer": "$.data.answer",
        },
    }
    path.write_text(json.dumps({"endpoints": endpoints}))  # JSON is YAML
    return path


@contextmanager
def _standin(folder: Path) -> Iterator[dict[str, str]]:
    """Run the stand-in server; the end of its stdin ends it, whatever becomes of this process."""
    command = [sys.executable, "-m", "eval_pipeline.standins", "--watch-parent"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder) as process:
        if process.stdin is None or process.stdout is None:
            raise ProcessFailedError("the stand-in has no pipes")
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(timeout=30)
