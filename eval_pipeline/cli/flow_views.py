"""How a run of any flow is written for a person: by the flow's own module here, or in the words that all share."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

import click

from eval_pipeline.cli.output import printable, write_error, write_json, write_warning
from eval_pipeline.cli.run_words import cost_words, failure_reasons
from eval_pipeline.core.cost import Costs
from eval_pipeline.core.documents import Json
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.flow import plan_of

Writer = Callable[[Json], None]


def writer_of(flow: Flow) -> Writer:
    """Return what writes a run's document: ``write_run`` of ``cli/{command}_view.py`` where there is one."""
    name = f"eval_pipeline.cli.{plan_of(flow).command}_view"
    if find_spec(name) is None:
        return write_plainly
    writer: Writer = import_module(name).write_run
    return writer


def write_run(document: Json, *, flow: Flow, as_json: bool) -> None:
    """Write the document of a run; for a person, with the error that it ended with."""
    if as_json:
        write_json(document)
        return
    writer_of(flow)(document)
    if document["error"]:
        write_error(EvalPipelineError(**document["error"]))


def write_plainly(document: Json) -> None:
    """Write what every run has: where it stands, its dataset, its counts, its cost, its report, its warnings."""
    click.echo(f"{document['run']}: {document['state']} ({document['mode']})")
    if dataset := document.get("dataset"):
        click.echo(f"dataset {printable(dataset['name'])} @ {dataset['version'][:12]}")
    if counts := document.get("counts"):  # by whatever names the flow counts
        told = ", ".join(f"{count:,} {name}" for name, count in counts.items() if isinstance(count, int))
        click.echo(f"items {told}{failure_reasons(counts.get('by_status'))}")
    cost = document.get("cost")
    click.echo(f"cost {cost_words(None if cost is None else Costs.from_json(cost))}")
    if document.get("report"):
        click.echo(f"report {document['report']}")
    for warning in document["warnings"]:
        write_warning(warning["message"])
