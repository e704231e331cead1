"""``eval-pipeline text``: the verbs of every flow, and two runs compared question by question."""

import click

from eval_pipeline.cli.compare_view import write_comparison
from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.flow_group import flow_group
from eval_pipeline.cli.output import common_options, write_json
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow

command = flow_group(Flow.TEXT)


@command.command()
@click.argument("first", metavar="RUN_A")
@click.argument("second", metavar="RUN_B")
@click.option(
    "--limit", type=click.IntRange(0, 1_000), default=10, show_default=True, help="Changed questions to show."
)
@common_options
def compare(first: str, second: str, *, limit: int, project: str, as_json: bool) -> None:
    """Compare two runs on the same dataset, question by question: is RUN_B better than RUN_A, and how sure is that?"""
    from eval_pipeline.text_eval.comparison import compare_runs  # noqa: PLC0415 - pyarrow: only where stages are read

    keys = [RunKey.of(project=project, run=run) for run in (first, second)]
    document = compare_runs(open_deployment(), keys[0], keys[1], limit=limit)
    write_json(document) if as_json else write_comparison(document)
