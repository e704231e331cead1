"""An older process beside a newer one: the code of an earlier commit, on one home with the code of this one."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline_tests.providing import Provider, provider

ROOT = Path(__file__).parents[2]
RULE = "eval_pipeline/storage/migrations/versions/v0005_restored_ledgers.py"
"""Came with the rule that newer schemas say which code can work with them."""
COMMAND = "import sys; from eval_pipeline.cli.main import run_command; sys.exit(run_command(sys.argv[1:]))"


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The package as it was when the rule came."""
    commit = git("log", "--diff-filter=A", "--format=%H", "-1", "--", RULE).decode().strip()
    if not commit:
        pytest.skip("the history is not here")
    with tarfile.open(fileobj=io.BytesIO(git("archive", commit, "eval_pipeline", "pyproject.toml"))) as packed:
        packed.extractall(tmp_path / "older", filter="data")
    return tmp_path / "older"


def git(*arguments: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return pytest.skip("this is no checkout")


class Side:
    """Commands of one version, on a home that both share."""

    def __init__(self, package: Path, home: Path, model: Provider) -> None:
        self._folder = home.parent
        self._environ = {
            **os.environ,
            "PYTHONPATH": str(package),
            "EVAL_PIPELINE_HOME": str(home),
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "sk-test",
            "EVAL_BATCH_POLL_SECONDS": "0.2",
            "NO_PROXY": "127.0.0.1",
        }

    def begin(self, line: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", COMMAND, *line.split(), "--json"],
            cwd=self._folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def told(self, line: str) -> Any:  # noqa: ANN401 - JSON
        return ended(self.begin(line))


def ended(process: "subprocess.Popen[str]") -> Any:  # noqa: ANN401 - JSON
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err[-3_000:] + out[-3_000:]
    return json.loads(out)


@pytest.mark.slow
def test_an_upgrade_stops_no_older_process(older: Path, tmp_path: Path) -> None:
    (tmp_path / "golden.csv").write_text("question,answer\n2 + 2?,4\n3 + 3?,6\n4 + 4?,8\n", encoding="utf-8")
    run = "--dataset golden --scorer exact_match"
    with provider() as model:
        before, now = (Side(package, tmp_path / "home", model) for package in (older, ROOT))
        before.told("dataset add golden golden.csv")
        model.answer_after(3.0)
        at_work = before.begin(f"text run begun-before {run} --mode fast --concurrency 1")
        model.wait_for(1)
        assert now.told("run status begun-before")["state"] == "running", "this one upgrades the ledger"
        model.answer_after(0.0)
        runs = {
            "begun-before": ended(at_work),
            "now": now.told(f"text run now {run}"),
            "older-again": before.told(f"text run older-again {run}"),
        }
        assert model.answers.requests == 3, "of the one live run, once each"
        for name, ran in runs.items():
            assert (ran["state"], ran["counts"]["ok"]) == ("completed", 3), name
            for side in (before, now):
                assert side.told(f"text show {name}")["counts"]["ok"] == 3
        assert now.told("text rescore older-again")["state"] == "completed"
        assert before.told("text rescore now")["state"] == "completed"
