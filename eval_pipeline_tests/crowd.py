"""Many real processes that begin the same thing at the same moment."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

PATIENCE_S = 60
# forked from a process that has imported these and started no thread: twenty processes cost a second, not twenty
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "eval_pipeline_tests.postgres",
        "eval_pipeline.dispatch.leases",
        "alembic.command",
        "eval_pipeline.text_eval.catalog",
        "eval_pipeline.text_eval.view",
        "eval_pipeline.text_eval.estimate",
        "eval_pipeline.defs.instance",
    ]
)


def all_at_once(work: Callable[[str], str], argument: str, *, processes: int = 20) -> list[str]:
    """Return what each process answered; what one raises is raised here."""
    barrier = CONTEXT.Barrier(processes)
    with ProcessPoolExecutor(processes, mp_context=CONTEXT, initializer=_meet, initargs=(barrier,)) as crowd:
        return list(crowd.map(work, [argument] * processes, timeout=PATIENCE_S))


def _meet(barrier: Barrier) -> None:
    barrier.wait(PATIENCE_S)
