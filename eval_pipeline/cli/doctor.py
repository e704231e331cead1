"""``eval-pipeline doctor``: checks an installation and says what is wrong."""

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.output import common_options, printable, write_json
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.wiring.doctor import Finding, examine

_MARKS = {True: ("ok", "green"), False: ("wrong", "red"), None: ("note", "yellow")}


@click.command(name="doctor")
@click.option(
    "--ask",
    is_flag=True,
    help="Also ask models of every endpoint one short question, which is paid for: do they answer, keep to a schema?",
)
@common_options
def command(*, ask: bool, project: str, as_json: bool) -> int:
    """Check keys, addresses, store, database and Dagster, and say what is wrong. Pays for nothing without --ask."""
    findings = [*examine(open_deployment(), project=project, asks=ask), _dagster()]
    wrong = any(finding.ok is False for finding in findings)
    if as_json:
        write_json({"ok": not wrong, "checks": [_to_json(finding) for finding in findings]})
        return int(wrong)
    for finding in findings:
        mark, colour = _MARKS[finding.ok]
        click.echo(f"{click.style(f'{mark:>5}', fg=colour, bold=True)}  {finding.check:<9} {printable(finding.detail)}")
        if finding.hint:
            click.echo(f"       {'hint:':<9} {printable(finding.hint)}")
    return int(wrong)


def _dagster() -> Finding:
    from eval_pipeline.defs.daemons import describe_instance  # noqa: PLC0415 - dagster: the last check

    try:
        state = describe_instance()
    except EvalPipelineError as error:
        return Finding("Dagster", ok=False, detail=error.message, hint=error.hint)
    return Finding("Dagster", ok=state.ok, detail=state.detail, hint=state.hint)


def _to_json(finding: Finding) -> dict[str, object]:
    told: dict[str, object] = {"check": finding.check, "ok": finding.ok, "detail": finding.detail, "hint": finding.hint}
    return {**told, "found": dict(finding.found)} if finding.found else told
