"""The session part of the demo: forty recorded sessions of an agent, judged in batches; the judges are a script."""

from time import monotonic

import click
import orjson

from eval_pipeline.cli.demo_server import SESSIONS
from eval_pipeline.cli.execution import run_outcome
from eval_pipeline.cli.output import write_table
from eval_pipeline.cli.progress import show_progress, write_line
from eval_pipeline.cli.waiting import execute_to_its_end
from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import DEFAULT_PROJECT, RunKey
from eval_pipeline.core.paid_standing import PaidStanding
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.claims import claim
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.stored_run import StoredRun
from eval_pipeline.session_eval.prepare import prepare
from eval_pipeline.session_eval.request import SessionRequest
from eval_pipeline.session_eval.session_ingest import ingest
from eval_pipeline.session_eval.view import show_run
from eval_pipeline.wiring.deployment import Deployment

SESSIONS_FILE = "airline.jsonl"


def evaluate_sessions(deployment: Deployment, *, series: int) -> list[int]:
    """Judge the sessions and print whether they are good, and how far the judges can be believed; the exit codes."""
    ingest(deployment, DEFAULT_PROJECT, [str(SESSIONS / SESSIONS_FILE)])
    key = RunKey.of(project=DEFAULT_PROJECT, run=f"demo-{series}-sessions")
    began_s = monotonic()
    code = _run(deployment, key)
    document = show_run(deployment, key, detail=False)
    report = StoredRun(deployment, find_run(deployment, flow=Flow.SESSIONS, key=key)).open("report").manifest.summary
    click.echo()
    headers = ("RUN", "MODE", "PANEL", "SESSIONS", "JUDGEMENTS", "COST", "TIME")
    write_table(headers, [_row(key, document, seconds=monotonic() - began_s)])
    click.echo(f"\n{report['result']}")
    for sentence in report["calibration"][:1]:
        click.echo(sentence)
    click.echo(f"Report, with the worst sessions and the quotes marked in them:\n  {key.run}: {report['url']}")
    return [code]


def _run(deployment: Deployment, key: RunKey) -> int:
    ids = tuple(orjson.loads(line)["session_id"] for line in (SESSIONS / SESSIONS_FILE).read_bytes().splitlines())
    request = SessionRequest(sessions=ids, panel=str(SESSIONS / "panel.yaml"))
    prepared = prepare(request, project=key.project, run=key.run, deployment=deployment)
    claim(prepared, flow=Flow.SESSIONS, requested_by="demo", deployment=deployment, here=True)
    experts = len(prepared.spec.judges.seats)
    click.echo(f"\n{key.run}: a script answers as {experts} judges of {len(ids):,} sessions, batch; no model judges")
    with show_progress() as progress:
        problem = execute_to_its_end(deployment, key, flow=Flow.SESSIONS, progress=progress, say=write_line)
    if problem is not None:
        raise problem
    return run_outcome(deployment, key, flow=Flow.SESSIONS)


def _row(key: RunKey, document: Json, *, seconds: float) -> tuple[str, ...]:
    standing = PaidStanding.of(document)
    total = None if standing.cost is None else standing.cost.cost_usd
    return (
        key.run,
        document["mode"],
        document["panel"]["version"],
        f"{document['sessions']['count']:,}",
        f"{standing.counts.ok:,} of {standing.counts.total:,}",
        "unknown" if total is None else f"${total:.4f}",
        f"{seconds:.1f} s",
    )
