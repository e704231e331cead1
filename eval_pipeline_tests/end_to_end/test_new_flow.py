"""The flow that ``docs/architecture.md`` writes out: one folder and one line, in a copy of the package."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import eval_pipeline

PACKAGE = Path(eval_pipeline.__file__).parent
PAGE = PACKAGE.parent / "docs" / "architecture.md"
LINE_BEFORE = '    STT = "stt_eval"\n'
BLOCK = re.compile(r"^```python\n# ([^\n,]+)(?:, [^\n]+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BY_DAGSTER = """
import json
import dagster as dg
from eval_pipeline.defs.build import build_definitions
from eval_pipeline.defs.instance import open_instance
from eval_pipeline.wiring.deployment import Deployment

said = {"config": {"dataset": "golden", "at_most": 1}}
with open_instance() as instance:
    instance.add_dynamic_partitions("sizes_runs", ["by-hand"])
    job = build_definitions().resolve_job_def("sizes_eval")
    begun = {"ops": {"sizes_eval__spec": said}}
    whole = job.execute_in_process(instance=instance, partition_key="by-hand", run_config=begun)
    again = job.execute_in_process(
        instance=instance, partition_key="by-hand", asset_selection=[dg.AssetKey(["sizes_eval", "report"])]
    )
    told = again.asset_materializations_for_node("sizes_eval__report")
    print(json.dumps([whole.success, again.success, [str(each.metadata["summary"].value) for each in told]]))
"""
BY_COMMANDS = """
import sys
from eval_pipeline.cli.main import run_command

for arguments in (line.split() for line in sys.argv[1:]):
    code = run_command(arguments)
    assert code == 0, (arguments, code)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with the documented flow, and a dataset in its home."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, folder / "eval_pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    blocks = dict(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    runs = folder / "eval_pipeline" / "core" / "runs.py"
    runs.write_text(runs.read_text().replace(LINE_BEFORE, LINE_BEFORE + blocks.pop("core/runs.py")))
    for name, code in blocks.items():
        path = folder / "eval_pipeline" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    (folder / "sizes.yaml").write_text("at_most: 10\n", encoding="utf-8")
    (folder / "golden.csv").write_text("question,answer\n2 + 2?,4\n3 + 3?,6\n", encoding="utf-8")
    return folder


def python(folder: Path, script: str, *arguments: str) -> str:
    """Run a script on the copy; returns what it wrote."""
    environ = {**os.environ, "PYTHONPATH": str(folder), "EVAL_PIPELINE_HOME": str(folder / "home")}
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        cwd=folder,
        env=environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr[-3_000:]
    return made.stdout


def documents(told: str) -> list[Any]:
    """Read the JSON documents that commands wrote one after the other."""
    found, decoder = [], json.JSONDecoder()
    while told := told.lstrip():
        document, end = decoder.raw_decode(told)
        found.append(document)
        told = told[end:]
    return found


def test_the_documented_flow_runs_through_the_command_line_and_dagster(copy: Path) -> None:
    told = python(
        copy,
        BY_COMMANDS,
        "dataset add golden golden.csv --json",
        "sizes run first --dataset golden --estimate --json",
        "sizes run first --dataset golden --config sizes.yaml --json",
        "sizes rescore first --json",
        "sizes show first --detail --json",
        "sizes export first --output sizes.csv --json",
        "run status first --json",
        "run delete first --yes --json",
    )
    _, estimate, ran, rescored, shown, exported, status, deleted = documents(told)

    assert estimate["estimate"]["total_cost_usd"] == 0
    assert (ran["flow"], ran["state"], rescored["state"]) == ("sizes_eval", "completed", "completed")
    assert [size["what"] for size in shown["sizes"]] == ["questions", "bytes"]
    assert exported["rows"] == 2
    assert (copy / "sizes.csv").read_text().startswith("what,size\nquestions,2")
    assert [stage["state"] for stage in status["stages"]] == ["done"] * 3
    assert deleted["deleted"]
    success, again, [report] = json.loads(python(copy, BY_DAGSTER).splitlines()[-1])
    assert success
    assert again
    assert report.splitlines()[0] == "- questions: 2 (large)"
