"""The command line as a user has it: in this process where that is enough, as a process of its own where it is not.

The environment is made from scratch, so that nothing of the developer's own reaches a test.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.main import run_command
from eval_pipeline.cli.progress import LINE_EVERY_S, write_line
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.progress import ProgressLines
from eval_pipeline.core.runs import Flow

PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401 - JSON
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def error_code(self) -> str:
        """The machine-readable code of the error."""
        return str(self.document["error"]["code"])


class Commands:
    """``eval-pipeline`` on a home of its own.

    Args:
        folder: where commands are typed; the home is made in it.
        variables: the environment, besides what every process needs.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder = folder
        self.home = folder / "home"
        self._environ = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "EVAL_PIPELINE_HOME": str(self.home),
            **variables,
        }

    def set(self, **variables: str) -> None:
        """Change the environment of the commands that follow."""
        self._environ |= variables

    def __call__(self, *arguments: str, **variables: str) -> Ended:
        """Run a command in this process."""
        out, err = StringIO(), StringIO()
        with self.scene(variables) as scene:
            scene.enter_context(redirect_stdout(out))
            scene.enter_context(redirect_stderr(err))
            code = run_command(list(arguments))
        return Ended(code, out.getvalue(), err.getvalue())

    @contextmanager
    def scene(self, variables: Mapping[str, str] = MappingProxyType({})) -> Iterator[ExitStack]:
        """Put this process where commands are typed, with their environment."""
        with ExitStack() as scene:
            scene.enter_context(_environment({**self._environ, **variables}))
            scene.enter_context(chdir(self.folder))
            yield scene

    def make_stages(
        self, key: RunKey, *stages: str, flow: Flow = Flow.TEXT, refresh: bool = False
    ) -> EvalPipelineError | None:
        """Make some stages of a run by hand, as the Dagster UI does; return what stopped that."""
        from eval_pipeline.defs.launch import execute_run  # noqa: PLC0415 - dagster: only where it is needed

        with self.scene({}):
            progress = ProgressLines(write_line, every_s=LINE_EVERY_S)
            return execute_run(open_deployment(), key, flow=flow, progress=progress, stages=stages, refresh=refresh)

    def json(self, *arguments: str, **variables: str) -> Any:  # noqa: ANN401 - JSON
        """Run a command that must succeed; return its document."""
        ended = self(*arguments, "--json", **variables)
        assert ended.code == 0, ended
        return ended.document

    @contextmanager
    def begin(self, *arguments: str, **variables: str) -> "Iterator[subprocess.Popen[str]]":
        """Begin a command as a process of its own, which ends with the ``with``, whatever happens there."""
        with subprocess.Popen(
            [str(Path(sys.executable).with_name("eval-pipeline")), *arguments],
            cwd=self.folder,
            env={**self._environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def process(self, *arguments: str, **variables: str) -> Ended:
        """Run a command as a process of its own."""
        with self.begin(*arguments, **variables) as process:
            return ended(process)

    def add(self, name: str, text: str, *options: str) -> Any:  # noqa: ANN401 - JSON
        """Add a golden file with this text; return what the command says."""
        path = self.folder / "golden.csv"
        path.write_text(text, encoding="utf-8")
        return self.json("dataset", "add", name, str(path), *options)

    def everything_stored(self) -> Iterator[tuple[Path, bytes]]:
        """Yield every file below the folder with its bytes: ledger, store, Dagster's files."""
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                yield path, path.read_bytes()


def ended(process: "subprocess.Popen[str]") -> Ended:
    """Wait for a process to end; kill it when it takes for ever."""
    try:
        out, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    return Ended(process.returncode, out, err)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
