"""``eval-pipeline demo``: real questions, recordings and sessions, the whole flows; no key, no service.

What models say is replayed by local servers that speak the providers' protocols, so everything but the models is real.
"""

import click

from eval_pipeline.cli.demo_server import EXAMPLES, GSM8K, SESSIONS, SPEECH, demo_environment, demo_servers
from eval_pipeline.cli.demo_sessions import evaluate_sessions
from eval_pipeline.cli.demo_speech import evaluate_speech
from eval_pipeline.cli.demo_text import evaluate_texts
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import DEFAULT_PROJECT, RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.wiring.deployment import Deployment


@click.command(name="demo")
def command() -> int:
    """Evaluate recorded answers, transcripts and sessions, end to end, without key or service."""
    if not (GSM8K.is_dir() and SPEECH.is_dir() and SESSIONS.is_dir()):
        raise UsageError(
            f"the examples are not at {EXAMPLES}",
            code="examples_missing",
            hint="run the demo in a checkout of the project",
        )
    click.echo("No key is needed, nothing leaves this machine: local servers speak the protocols of OpenAI and Gemini.")
    click.echo(
        "They replay recorded answers of two language models to 1,319 school maths questions (GSM8K); a small bot"
    )
    click.echo(
        "behind HTTP stands for an assistant of your own. What they give as transcripts of nine recordings are the"
    )
    click.echo(
        "references with planted errors: no model has listened. Forty recorded sessions of an agent (tau-bench) are"
    )
    click.echo("judged by a script: no model has judged them.\n")
    with demo_servers() as addresses:
        deployment = Deployment(environ=demo_environment(addresses))
        series = _free_series(deployment)
        codes = [
            *evaluate_texts(deployment, series=series),
            *evaluate_speech(deployment, addresses, series=series),
            *evaluate_sessions(deployment, series=series),
        ]
    click.echo(
        "\nBrowse the runs, their stages and lineage in the Dagster UI: make ui, then open http://127.0.0.1:3000"
    )
    return max(codes)


def _free_series(deployment: Deployment) -> int:
    """Number this demo: earlier ones keep their runs."""
    series = 1
    while any(
        deployment.ledger.find_run(flow=flow, key=RunKey(DEFAULT_PROJECT, f"demo-{series}-{name}"))
        for flow, name in ((Flow.TEXT, "ten-questions"), (Flow.STT, "speech"), (Flow.SESSIONS, "sessions"))
    ):
        series += 1
    return series
