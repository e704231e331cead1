"""What pays for the batches of a run with a budget: its limit, what it has cost so far, the worst of a request.

Opened once a round, and only where there is a budget: what is spent is read from the stage's journal.
"""

from collections.abc import Callable
from decimal import Decimal

from eval_pipeline.core.cost import NOTHING, Tariff
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.dispatch.budget import RoundPurse
from eval_pipeline.dispatch.vectors import VectorIndex
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.journal import Journal
from eval_pipeline.text_eval.rates import embedding_tariff
from eval_pipeline.text_eval.so_far import cost_of_vectors
from eval_pipeline.text_eval.spec import TextSpec


def purse_of_texts(task: Task, spec: TextSpec, responses: StageReader) -> RoundPurse | None:
    """Open the purse of ``embeddings``: a token is at least one byte, so the bound is exact."""
    run = find_run(task.deployment, flow=task.flow, key=task.key)
    if run.max_cost_usd is None:
        return None
    tariff = embedding_tariff(spec)
    with Journal(task.deployment.objects, task.ref("embeddings")).spool() as spool:
        vectors_usd = cost_of_vectors(VectorIndex.read(spool), tariff=tariff, run=run).cost_usd
    answers_usd = PaidSummary.of(responses.manifest).known_usd

    def bound(size_bytes: int) -> Usage:
        return Usage(input=size_bytes, total=size_bytes)

    return _purse(run.max_cost_usd, spent_usd=answers_usd + (vectors_usd or NOTHING), tariff=tariff, bound=bound)


def _purse(limit_usd: float, *, spent_usd: Decimal, tariff: Tariff, bound: Callable[[int], Usage]) -> RoundPurse:
    return RoundPurse(limit_usd=Decimal(str(limit_usd)), spent_usd=spent_usd, tariff=tariff, bound=bound)
