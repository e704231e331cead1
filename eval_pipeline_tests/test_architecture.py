"""The rules of the house that no linter knows: the graph as documented, light imports, one name everywhere."""

import ast
import importlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest
import yaml

from eval_pipeline.core.runs import Flow
from eval_pipeline.definitions import defs
from eval_pipeline.runs.flow import plan_of

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "eval_pipeline").rglob("*.py"))
TESTS = sorted((ROOT / "eval_pipeline_tests").rglob("*.py"))
FLOWS = list(Flow)
DOCSTRING = re.compile(r"(#.*\n)*\"\"\"\S")
HEAVY = (
    "pyarrow",
    "pandas",
    "numpy",
    "openai",
    "sqlalchemy",
    "langfuse",
    "boto3",
    "botocore",
    "genai_prices",
    "google.genai",
    "soundfile",
    "av",
)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _flow_line(flow: Flow) -> list[list[str]]:
    """Return the chains of a flow's ``Flow:`` line."""
    text = ast.get_docstring(ast.parse((ROOT / "eval_pipeline" / flow / "__init__.py").read_text())) or ""
    [line] = re.findall(r"^Flow: (.+)$", text, re.MULTILINE)
    return [[stage.strip() for stage in chain.split("->")] for chain in line.split(";")]


def _is_view(path: Sequence[str]) -> bool:
    """Whether an asset tells of all runs of a flow together."""
    return any(path[0] == flow and path[-1] == view.name for flow in FLOWS for view in plan_of(flow).views)


def _graph(flow: Flow) -> dict[str, set[str]]:
    """Return stage to the stages that it depends on, as Dagster sees it."""
    graph = defs.get_repository_def().asset_graph
    keys = [key for key in graph.get_all_asset_keys() if key.path[0] == flow and not _is_view(key.path)]
    return {key.path[-1]: {parent.path[-1] for parent in graph.get(key).parent_keys} for key in keys}


@pytest.mark.parametrize("flow", FLOWS)
def test_the_flow_line_is_the_asset_graph(flow: Flow) -> None:
    chains, graph = _flow_line(flow), _graph(flow)
    arrows = {(before, after) for chain in chains for before, after in pairwise(chain)}

    assert {stage for chain in chains for stage in chain} == set(graph)
    for before, after in arrows:
        assert before in graph[after], f"{after} does not depend on {before}"
    drawn = {after: {before for before, target in arrows if target == after} for after in graph}
    for stage, parents in graph.items():
        assert parents <= _upstream(stage, drawn), f"{stage} depends on something that the line draws elsewhere"


def _upstream(stage: str, parents: dict[str, set[str]]) -> set[str]:
    direct = parents[stage]
    return direct.union(*(_upstream(parent, parents) for parent in direct))


@pytest.mark.parametrize("flow", FLOWS)
def test_the_flow_line_is_the_declaration(flow: Flow) -> None:
    assert list(plan_of(flow).stage_names) == list(
        dict.fromkeys(stage for chain in _flow_line(flow) for stage in chain)
    )


def test_every_asset_and_check_tells_what_it_is() -> None:
    for asset in defs.get_repository_def().assets_defs_by_key.values():
        for key in asset.keys:
            assert asset.descriptions_by_key[key], key
            assert asset.specs_by_key[key].owners, key
            assert asset.specs_by_key[key].kinds, key
            assert asset.partitions_def is not None or key.path[0] == "collectors" or _is_view(key.path), key
    checks = defs.get_repository_def().asset_checks_defs_by_key
    assert len(checks) == sum(
        (stage.paid is not None) + (stage.submits_for is not None) + len(stage.checks)
        for flow in FLOWS
        for stage in plan_of(flow).stages
    )
    for check_key, check in checks.items():
        spec = check.get_spec_for_check_key(check_key)
        assert spec.description, check_key
        assert spec.blocking == (check_key.name == "failure_threshold"), check_key
        assert spec.partitions_def is not None, check_key


def test_one_job_a_flow_holds_every_stage_and_runs_in_its_own_process() -> None:
    repository = defs.get_repository_def()
    for flow in FLOWS:
        job = repository.get_job(flow)
        assert {key.path[-1] for key in job.asset_layer.executable_asset_keys} == set(_graph(flow))
        assert job.executor_def.name == "in_process"
        assert job.description
    assert isinstance(repository.get_sensor_def("requested_runs"), dg.SensorDefinition)


def test_the_instance_is_configured_the_same_in_the_root_and_in_the_package() -> None:
    assert (ROOT / "dagster.yaml").read_text() == (ROOT / "eval_pipeline" / "defs" / "dagster.yaml").read_text()


def test_both_ways_to_name_the_code_location_name_the_same() -> None:
    """``[tool.dg.project]`` silently wins over ``workspace.yaml``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["dg"]["project"]
    [location] = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]

    assert location == {"python_module": project["code_location_target_module"]}
    assert project["code_location_target_module"] == "eval_pipeline.definitions"


@cache
def _imported_by(code: str) -> frozenset[str]:
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    out = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    return frozenset(json.loads(out.splitlines()[-1]))


def test_loading_the_code_location_imports_what_dagster_imports_and_nothing_heavy() -> None:
    more = _imported_by("import eval_pipeline.definitions") - _imported_by("import dagster")

    assert not more & set(HEAVY)


def test_listing_datasets_imports_no_dagster(tmp_path: Path) -> None:
    code = (
        f"import os; os.environ['EVAL_PIPELINE_HOME'] = {str(tmp_path)!r}\n"
        "from eval_pipeline.cli.main import run_command\nassert run_command(['dataset', 'list', '--json']) == 0\n"
    )

    assert not {"dagster", "pandas", "openai", "langfuse", "pyarrow", "soundfile", "filetype"} & _imported_by(code)


def test_showing_an_audio_dataset_reads_no_sound(tmp_path: Path) -> None:
    """What is shown was counted when it was added."""
    manifest = str(ROOT / "examples" / "speech" / "manifest.jsonl")
    home = f"import os; os.environ['EVAL_PIPELINE_HOME'] = {str(tmp_path)!r}\n"
    run = "from eval_pipeline.cli.main import run_command\n"
    adding = f"assert run_command(['dataset', 'add', 'speech', {manifest!r}, '--kind', 'stt', '--json']) == 0\n"

    assert {"pyarrow", "soundfile"} <= _imported_by(home + run + adding)
    shown = _imported_by(home + run + "assert run_command(['dataset', 'show', 'speech', '--json']) == 0\n")
    assert not {"dagster", "pyarrow", "soundfile", "numpy", "filetype", "av"} & shown


def test_the_stand_ins_need_nothing_of_the_project() -> None:
    modules = _imported_by("import eval_pipeline.standins.main")

    assert {name for name in modules if name.startswith("eval_pipeline.")} == {
        name for name in modules if name.startswith("eval_pipeline.standins")
    }


def test_what_builds_the_project_is_not_locked_into_what_runs_it() -> None:
    names = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line}

    assert not names & {"uv", "hatchling", "editables", "google-genai"}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-build.lock", "requirements-dev.lock"])
def test_locked_requirements_have_hashes_and_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    requirements = re.findall(r"^[A-Za-z0-9][^\n]*?==.*?(?=^[A-Za-z0-9#]|\Z)", text, re.MULTILINE | re.DOTALL)

    assert len(requirements) > 5
    assert [each.split()[0] for each in requirements if "--hash=sha256:" not in each] == []
    assert not re.search(r"index-url|https?://|file:", text)


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_module_says_what_it_holds_and_an_init_says_nothing_else() -> None:
    """Tests are exempt: their names are sentences."""
    for path in [*SOURCES, *(path for path in TESTS if not path.name.startswith("test_"))]:
        text = path.read_text(encoding="utf-8")
        assert DOCSTRING.match(text), _name(path)
        assert path.name != "__init__.py" or len(ast.parse(text).body) == 1, _name(path)


def test_tests_replace_nothing_and_never_sleep() -> None:
    for path in TESTS:
        text = path.read_text(encoding="utf-8")
        if not re.search("mock|unittest|sleep", text):
            continue
        imported = set(_imports(ast.parse(text)))
        assert not any(name.startswith(("unittest.mock", "mock.", "unittest.patch")) for name in imported), path
        assert "time.sleep" not in imported, path


def test_no_module_has_string_annotations() -> None:
    """Dagster cannot read them."""
    assert [_name(path) for path in [*SOURCES, *TESTS] if "from __future__ import annotations" in _code(path)] == []


def _code(path: Path) -> str:
    """Return a module's import lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("from "))


def test_no_file_is_a_drawer_for_everything() -> None:
    assert not {path.stem for path in [*SOURCES, *TESTS]} & {"utils", "util", "helpers", "common", "misc", "base"}


def test_every_module_can_be_imported_on_its_own() -> None:
    for path in SOURCES:
        if "migrations" not in path.parts and path.name != "__main__.py":
            parts = path.relative_to(ROOT).with_suffix("").parts
            importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))


@pytest.mark.parametrize("path", sorted((ROOT / "eval_pipeline" / "core").glob("*.py")), ids=lambda path: path.stem)
def test_core_needs_nothing_that_is_installed(path: Path) -> None:
    """A list of what is forbidden misses the next dependency."""
    imported = set(_imports(ast.parse(path.read_text(encoding="utf-8"))))
    outside = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}

    assert {name for name in outside if not name.startswith("eval_pipeline.core.")} == set()
