"""``eval-pipeline run``: the runs of every flow, where they stand, and what may be done with them."""

from collections.abc import Sequence
from typing import Any

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.execution import execute_and_show
from eval_pipeline.cli.output import common_options, page_footer, printable, write_error, write_json, write_table
from eval_pipeline.core.batches import BatchJob
from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey, validate_project
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.runs import control as run_control
from eval_pipeline.runs.closing import Cancelled, cancel_batches, open_batches
from eval_pipeline.runs.life import find_run, flow_of, state_of

flow_option = click.option(
    "--flow",
    type=click.Choice([str(flow) for flow in Flow]),
    help="Only runs of this flow; needed where two share a name.",
)


@click.group(name="run")
def command() -> None:
    """Runs of every flow."""


@command.command(name="list")
@flow_option
@click.option("--state", type=click.Choice([str(state) for state in RunState]), help="Only runs in this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True)
@common_options
def list_runs(*, flow: str | None, state: str | None, limit: int, offset: int, project: str, as_json: bool) -> None:
    """List runs, newest first."""
    deployment = open_deployment()
    run_control.note_interruptions(deployment, project=validate_project(project))
    page = deployment.ledger.list_runs(
        project=project,
        flow=Flow(flow) if flow else None,
        state=RunState(state) if state else None,
        limit=limit,
        offset=offset,
    )
    if as_json:
        listed = [run_control.run_json(run) for run in page.items]
        write_json({"runs": listed, "total": page.total, "limit": page.limit, "offset": page.offset})
        return
    rows = [
        (run.key.run, run.flow, state_of(run), run.mode, run.dataset_name, f"{run.created_at:%Y-%m-%d %H:%M}")
        for run in page.items
    ]
    write_table(("RUN", "FLOW", "STATE", "MODE", "DATASET", "REQUESTED (UTC)"), rows)
    click.echo(page_footer(page))


@command.command()
@click.argument("run")
@flow_option
@common_options
def status(run: str, *, flow: str | None, project: str, as_json: bool) -> None:
    """Show where RUN stands, stage by stage."""
    from eval_pipeline.runs.status import run_status  # noqa: PLC0415 - pyarrow: only where stages are read

    deployment = open_deployment()
    key = RunKey.of(project=project, run=run)
    document = run_status(deployment, flow=flow_of(deployment, key, named=flow), key=key)
    if as_json:
        write_json(document)
        return
    click.echo(f"{document['run']}: {document['state']}, requested by {printable(document['requested_by'])}")
    if document["worker"]:
        click.echo(f"worked on by process {document['worker']['pid']} on {document['worker']['host']}")
    rows = [
        (stage["stage"], stage["state"], stage["rows"], _second(stage["finished_at"]), stage["note"])
        for stage in document["stages"]
    ]
    write_table(("STAGE", "STATE", "ROWS", "FINISHED (UTC)", "NOTE"), rows)
    _write_batches(document["batches"])
    if document["error"]:
        write_error(EvalPipelineError(**document["error"]))


def _write_batches(batches: list[dict[str, Any]]) -> None:
    if not batches:
        return
    click.echo("")
    rows = [
        (
            batch["stage"],
            printable(batch["model"]),
            batch["round"],
            batch["shard"],
            batch["state"],
            printable(batch["provider_status"] or ""),
            f"{batch['completed'] or 0:,} + {batch['failed'] or 0:,} failed of {batch['requests']:,}",
            batch["age"],
            printable(batch["batch"] or ""),
        )
        for batch in batches
    ]
    write_table(("BATCHES OF", "MODEL", "ROUND", "SHARD", "STATE", "PROVIDER SAYS", "REQUESTS", "AGE", "BATCH"), rows)
    for batch in batches:
        error = batch["error"]["message"] if batch["error"] else None
        for words in filter(None, (*batch["anomalies"], error, batch["expiry"])):
            click.echo(f"{batch['stage']} {batch['job']}: {printable(words)}")


def _second(moment: str | None) -> str | None:
    return None if moment is None else moment[:19].replace("T", " ")


@command.command()
@click.argument("run")
@click.option("--refresh", is_flag=True, help="Start the paid stages over and pay again.")
@click.option(
    "--resend-lost", is_flag=True, help="Send items again whose batch result is gone; they may be charged twice."
)
@click.option(
    "--endpoint-changed",
    is_flag=True,
    help="Accept that another endpoint is asked than the run was specified for; every row then says which.",
)
@click.option(
    "--max-cost-usd",
    metavar="USD",
    type=float,
    help="A new limit of the run; --refresh counts anew.",
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Execute here, or leave it to the daemon.")
@flow_option
@common_options
def retry(
    run: str,
    *,
    refresh: bool,
    resend_lost: bool,
    endpoint_changed: bool,
    max_cost_usd: float | None,
    wait: bool,
    flow: str | None,
    project: str,
    as_json: bool,
) -> int:
    """Take RUN up again: only what is not finished is asked."""
    deployment = open_deployment()
    key = RunKey.of(project=project, run=run)
    its = flow_of(deployment, key, named=flow)
    run_control.check_endpoints(
        deployment, flow=its, key=key, accept=endpoint_changed, here=wait, again=refresh or resend_lost
    )
    run_control.reopen(deployment, flow=its, key=key, max_cost_usd=max_cost_usd, here=wait)
    return execute_and_show(
        deployment, key, flow=its, wait=wait, as_json=as_json, refresh=refresh, resend_lost=resend_lost
    )


@command.command()
@click.argument("run")
@flow_option
@common_options
def cancel(run: str, *, flow: str | None, project: str, as_json: bool) -> None:
    """Stop RUN at the next item boundary; what was answered is kept and `run retry` goes on."""
    deployment = open_deployment()
    key = RunKey.of(project=project, run=run)
    its = flow_of(deployment, key, named=flow)
    state = run_control.cancel(deployment, flow=its, key=key)
    batches = cancel_batches(deployment, flow=its, key=key)
    if as_json:
        write_json(run_control.run_json(find_run(deployment, flow=its, key=key)))
        return
    asked = "asked to stop at the next item boundary" if state is RunState.RUNNING else str(state)
    click.echo(f"{run}: {asked}{_words_of(batches)}")


def _words_of(batches: Cancelled) -> str:
    being = counted(batches.asked, "batch", verb=("is", "are"))
    asked = f"; {being} being cancelled, what is done is collected" if batches.asked else ""
    if not batches.unsettled:
        return asked
    return (
        f"{asked}; of {batches.unsettled:,} more it is not known whether they were created: stopped when they turn up"
    )


@command.command()
@click.argument("run")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--cancel-batches",
    "batches",
    flag_value="cancel",
    help="Cancel what is out first; what it has done by then is charged, and dropped.",
)
@click.option(
    "--forget-batches",
    "batches",
    flag_value="forget",
    help="Leave what is out alone, where it cannot be cancelled any more; it may be charged.",
)
@flow_option
@common_options
def delete(run: str, *, yes: bool, batches: str | None, flow: str | None, project: str, as_json: bool) -> None:
    """Delete RUN with its stored stages; its name is free again."""
    from eval_pipeline.runs import deleting  # noqa: PLC0415 - the clients of providers: only here

    deployment = open_deployment()
    key = RunKey.of(project=project, run=run)
    its = flow_of(deployment, key, named=flow)
    run_control.check_idle(deployment, flow=its, key=key)
    if not yes:
        batches = _confirmed_deletion(key, open_batches(deployment, flow=its, key=key), batches=batches)
    wished = deleting.OpenBatches(batches) if batches else deleting.OpenBatches.REFUSE
    deleting.delete(deployment, flow=its, key=key, batches=wished)
    from eval_pipeline.defs.partitions import forget_partition  # noqa: PLC0415 - dagster: only here

    forget_partition(its, key)
    if as_json:
        write_json({"run": run, "project": project, "deleted": True})
        return
    click.echo(f"deleted {run}")


def _confirmed_deletion(key: RunKey, out: Sequence[BatchJob], *, batches: str | None) -> str | None:
    """Ask, and say what is out; returns what becomes of it: who says yes has been told that it is cancelled."""
    from eval_pipeline.runs.deleting import words_of  # noqa: PLC0415 - only here

    question = f"Delete {key.partition} and everything stored of it"
    if not out or batches == "forget":
        click.confirm(f"{question}?", abort=True, err=True)
        return batches
    told = f"its {words_of(out)} are cancelled: what they have done by then is charged, and dropped"
    click.confirm(f"{question}? {told}.", abort=True, err=True)
    return "cancel"
