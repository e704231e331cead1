"""``eval-pipeline ledger``: what operators do with the ledger itself."""

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.output import json_option, write_json


@click.group(name="ledger")
def command() -> None:
    """Look after the ledger."""


@command.command()
@json_option
def upgrade(*, as_json: bool) -> None:
    """Bring the ledger to the schema of this version. Processes of the version before go on beside it.

    Take a backup first. Needed only where EVAL_LEDGER_AUTO_UPGRADE is never.
    """
    ledger = open_deployment().upgrade_ledger()
    try:
        url, schema = ledger.url, ledger.schema
    finally:
        ledger.close()
    if as_json:
        write_json({"ledger": url, "schema": schema})
        return
    click.echo(f"{url} has schema {schema}")
