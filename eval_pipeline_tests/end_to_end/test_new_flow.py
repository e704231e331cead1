"""The flows that ``docs/architecture.md`` writes out: one folder and one line each, in a copy of the package."""

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
from eval_pipeline_tests.providing import provider

PACKAGE = Path(eval_pipeline.__file__).parent
PAGE = PACKAGE.parent / "docs" / "architecture.md"
LINE_BEFORE = '    STT = "stt_eval"\n'
BLOCK = re.compile(r"^```python\n# ([^\n,]+)(?:, [^\n]+)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ASKING = "asking: "
"""Begins the name of a module of the flow that asks a model."""
BY_COMMANDS = """
import json
import sys
from eval_pipeline.cli.main import run_command

for line in sys.argv[1:]:
    expected, _, arguments = line.rpartition("!")
    code = run_command(arguments.split())
    assert code == int(expected or 0), (arguments, code)
"""
BY_DAGSTER = """
import dagster as dg
from eval_pipeline.defs.build import build_definitions
from eval_pipeline.defs.instance import open_instance

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
ASKED_BY_DAGSTER = """
import dagster as dg
from eval_pipeline.defs.build import build_definitions
from eval_pipeline.defs.instance import open_instance

with open_instance() as instance:
    job = build_definitions().resolve_job_def("sizes_eval")

    def made(stage, **form):
        made = job.execute_in_process(
            instance=instance,
            partition_key="live",
            asset_selection=[dg.AssetKey(["sizes_eval", stage])],
            run_config={"ops": {f"sizes_eval__{stage}": {"config": form}}} if form else {},
        )
        return made.success and len(made.asset_materializations_for_node(f"sizes_eval__{stage}"))

    print(json.dumps([made("opinions"), made("opinions", refresh=True), made("report")]))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package with the documented flow."""
    return copied(tmp_path, asking=False)


@pytest.fixture
def asking(tmp_path: Path) -> Path:
    """A copy of the package with the documented flow that asks a model."""
    return copied(tmp_path, asking=True)


def copied(folder: Path, *, asking: bool) -> Path:
    """Copy the package, add the flow, and write what is handed in."""
    shutil.copytree(PACKAGE, folder / "eval_pipeline")
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    modules = {name: code for name, code in blocks if not name.startswith(ASKING)}
    if asking:
        modules |= {name.removeprefix(ASKING): code for name, code in blocks if name.startswith(ASKING)}
    runs = folder / "eval_pipeline" / "core" / "runs.py"
    runs.write_text(runs.read_text().replace(LINE_BEFORE, LINE_BEFORE + modules.pop("core/runs.py")))
    for name, code in modules.items():
        path = folder / "eval_pipeline" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
    (folder / "sizes.yaml").write_text("at_most: 10\n", encoding="utf-8")
    (folder / "golden.csv").write_text("question,answer\n2 + 2?,4\n3 + 3?,6\n", encoding="utf-8")
    (folder / "larger.csv").write_text("question,answer\n2 + 2?,4\n3 + 3?,6\n4 + 4?,8\n", encoding="utf-8")
    return folder


def python(folder: Path, script: str, *arguments: str, **variables: str) -> str:
    """Run a script on the copy; returns what it wrote."""
    environ = {**os.environ, "PYTHONPATH": str(folder), "EVAL_PIPELINE_HOME": str(folder / "home"), **variables}
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
        BY_COMMANDS + BY_DAGSTER,
        "dataset add golden golden.csv --json",
        "sizes run first --dataset golden --estimate --json",
        "sizes run first --dataset golden --config sizes.yaml --json",
        "sizes rescore first --json",
        "sizes show first --detail --json",
        "sizes export first --output sizes.csv --json",
        "run status first --json",
        "run delete first --yes --json",
    )
    _, estimate, ran, rescored, shown, exported, status, deleted, by_dagster = documents(told)

    assert estimate["estimate"]["total_cost_usd"] == 0
    assert (ran["flow"], ran["state"], rescored["state"]) == ("sizes_eval", "completed", "completed")
    assert [size["what"] for size in shown["sizes"]] == ["questions", "bytes"]
    assert exported["rows"] == 2
    assert (copy / "sizes.csv").read_text().startswith("what,size\nquestions,2")
    assert [stage["state"] for stage in status["stages"]] == ["done"] * 3
    assert deleted["deleted"]
    success, again, [report] = by_dagster
    assert success
    assert again
    assert report.splitlines()[0] == "- questions: 2 (large)"


def test_the_documented_flow_that_asks_a_model_does_so_live_in_batches_and_again(asking: Path) -> None:
    fault = {"kind": "refusal", "endpoint": "responses", "match": "has 3 questions"}
    with provider() as model, model.behaving(fault):
        told = python(
            asking,
            BY_COMMANDS + ASKED_BY_DAGSTER,
            "dataset add golden golden.csv --json",
            "sizes run live --dataset golden --mode live --estimate --json",
            "sizes run live --dataset golden --mode fast --max-cost-usd 1 --json",
            "run status live --json",
            "sizes run batch --dataset golden --json",
            "sizes export batch --output opinions.csv --json",
            "dataset add larger larger.csv --json",
            "100!sizes run strict --dataset larger --mode fast --failure-threshold 0 --json",
            "sizes show live",
            OPENAI_BASE_URL=model.base_url,
            OPENAI_API_KEY="sk-test",
            EVAL_BATCH_POLL_SECONDS="0.1",
            NO_PROXY="127.0.0.1",
        )
        asked = model.answers.requests

    told, _, rest = told.partition("live: completed (fast)\n")
    _, estimate, live, status, batch, exported, _, breached = documents(told)
    *shown, by_dagster = rest.splitlines()
    assert any(line.startswith("cost $0.0") for line in shown), "without a view of its own, in words that all share"
    assert estimate["estimate"]["total_cost_usd"] > 0
    for run in (live, batch):
        assert (run["state"], run["counts"]["ok"], run["counts"]["failed"]) == ("completed", 2, 0)
        assert run["cost"]["total_cost_usd"] > 0
    assert [stage["state"] for stage in status["stages"]] == ["done"] * 5
    assert exported["rows"] == 2
    assert (breached["state"], breached["counts"]["failed"]) == ("failed", 1)
    assert breached["report"], "a run that missed its threshold has a report, too"
    assert json.loads(by_dagster) == [1, 1, 1]
    assert asked == 3 * 2, "of live and strict, and of live again with refresh; batches go another way"
