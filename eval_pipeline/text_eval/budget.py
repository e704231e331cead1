"""What pays for the batches of a run with a budget: its limit, what it has cost so far, the worst of a request.

Opened once a round, and only where there is a budget: what is spent is read from the stage's journal.
"""

from collections.abc import Callable
from decimal import Decimal

from eval_pipeline.core.cost import NOTHING, Experience, Tariff, first_usage, worst_usage
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.tallies import price_item
from eval_pipeline.dispatch.budget import RoundPurse, bytes_a_request
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.dispatch.vectors import VectorIndex
from eval_pipeline.runs.life import find_run
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.journal import Journal
from eval_pipeline.text_eval.so_far import cost_of_vectors
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring import models


def purse_of_answers(task: Task, spec: TextSpec) -> RoundPurse | None:
    """Open the purse of ``responses``: input is bounded by bytes, output by ``max_output_tokens`` or by experience."""
    run = find_run(task.deployment, flow=task.flow, key=task.key)
    if run.max_cost_usd is None:
        return None
    tariff = models.tariff(spec.provider, spec.model, mode=spec.mode)
    spent_usd, experience = _answered(task, run, tariff)

    def bound(size_bytes: int) -> Usage:
        worst = worst_usage(spec.model_body, body_bytes=size_bytes, experience=experience)
        return worst or first_usage(spec.model_body, body_bytes=size_bytes)

    return _purse(run.max_cost_usd, spent_usd=spent_usd, tariff=tariff, bound=bound)


def _answered(task: Task, run: RunRecord, tariff: Tariff) -> tuple[Decimal, Experience]:
    """Read what the answers so far cost, and what they teach about the next ones."""
    ref = task.ref("responses")
    sent_bytes = bytes_a_request(task.deployment.ledger.stage_jobs(ref))
    spent_usd, experience = NOTHING, Experience()
    with Journal(task.deployment.objects, ref).spool() as spool:
        index = RecordIndex(spool)
        for item_id in index:
            if (record := index.find(item_id)) is None:
                continue
            spent_usd += price_item(record, tariff, at=run.created_at).usd or NOTHING
            for call in record.billed_calls:
                experience = experience.after(call.usage, body_bytes=sent_bytes)
    return spent_usd, experience


def purse_of_texts(task: Task, spec: TextSpec, responses: StageReader) -> RoundPurse | None:
    """Open the purse of ``embeddings``: a token is at least one byte, so the bound is exact."""
    run = find_run(task.deployment, flow=task.flow, key=task.key)
    if run.max_cost_usd is None:
        return None
    tariff = models.tariff(spec.embedding_provider, spec.embedding_model, mode=spec.mode)
    with Journal(task.deployment.objects, task.ref("embeddings")).spool() as spool:
        vectors_usd = cost_of_vectors(VectorIndex.read(spool), tariff=tariff, run=run).cost_usd
    answers_usd = PaidSummary.of(responses.manifest).known_usd

    def bound(size_bytes: int) -> Usage:
        return Usage(input=size_bytes, total=size_bytes)

    return _purse(run.max_cost_usd, spent_usd=answers_usd + (vectors_usd or NOTHING), tariff=tariff, bound=bound)


def _purse(limit_usd: float, *, spent_usd: Decimal, tariff: Tariff, bound: Callable[[int], Usage]) -> RoundPurse:
    return RoundPurse(limit_usd=Decimal(str(limit_usd)), spent_usd=spent_usd, tariff=tariff, bound=bound)
