"""A project to bring sessions into, and files to bring in."""

import json
from pathlib import Path

from eval_pipeline.session_eval.session_ingest import ingest
from eval_pipeline.session_eval.session_intake import IngestResult
from eval_pipeline.wiring.deployment import Deployment

TAU_BENCH = Path(__file__).parent / "data" / "tau_bench_gpt4o_airline.json.gz"
PROJECT = "default"


def a_deployment(folder: Path) -> Deployment:
    """Return an installation whose home is new."""
    return Deployment(environ={"EVAL_PIPELINE_HOME": str(folder / "home")})


def lines(path: Path, *values: object) -> Path:
    """Write JSON Lines; a text is written as it is."""
    path.write_text("".join((v if isinstance(v, str) else json.dumps(v)) + "\n" for v in values), encoding="utf-8")
    return path


def brought_in(deployment: Deployment, *paths: Path, file_format: str = "auto") -> IngestResult:
    """Bring files in."""
    return ingest(deployment, PROJECT, [str(path) for path in paths], file_format)
