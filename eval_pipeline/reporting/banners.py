"""What a reader of any report must know before anything else: why a run is no result, or not a whole one."""

from collections.abc import Mapping
from dataclasses import dataclass

from eval_pipeline.core.counting import counted
from eval_pipeline.core.runs import RunRecord, RunState
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.reporting.amounts import count, percent


@dataclass(frozen=True, slots=True)
class Banner:
    """One such thing; ``kind`` is ``bad`` or ``warn``."""

    kind: str
    title: str
    text: str


def run_banners(run: RunRecord, threshold: Threshold, *, failures: str, noun: str, unsent: str) -> list[Banner]:
    """Say what keeps the run from being a result: too many failures, or unfinished work.

    Args:
        run: whose report it is.
        threshold: its failures against what it allows.
        failures: the sentence on them in the flow's words, with ``{failed}``, ``{total}``, ``{share}``, ``{allowed}``.
        noun: what is counted.
        unsent: what a run that stopped at its budget left undone, such as "before every clip was sent".
    """
    found = []
    if threshold.breached:
        found.append(
            Banner("bad", title="This run missed its failure threshold", text=_breach(threshold, failures, noun=noun))
        )
    reason = _unfinished(run.state, unsent=unsent)
    if reason is not None:
        text = f"The run is {run.state}: {reason}. What follows describes only what was done until then."
        found.append(Banner("warn", title="This run is not complete", text=text))
    return found


def endpoints_banner(answered: Mapping[str, int]) -> list[Banner]:
    """Warn when items were answered at another address than the run was specified for.

    Args:
        answered: items by address; nothing where all is as specified.
    """
    if not answered:
        return []
    told = ", ".join(f"{address} ({count(items)})" for address, items in answered.items())
    text = f"A person let the run go on at another address: {told}. Every row says which one answered it."
    return [Banner("warn", title="Another endpoint answered than the run was specified for", text=text)]


def _breach(threshold: Threshold, failures: str, *, noun: str) -> str:
    if threshold.observed is None:
        return "There was nothing to evaluate, and an evaluation of nothing never passes."
    told = failures.format(
        failed=count(threshold.failed),
        total=counted(threshold.total, noun),
        share=percent(threshold.observed),
        allowed=percent(threshold.value),
    )
    return f"{told} Everything that came back is shown below, but do not take it for the result of the evaluation."


def _unfinished(state: RunState, *, unsent: str) -> str | None:
    reasons = {
        RunState.INCOMPLETE: f"it stopped at its budget {unsent}",
        RunState.INTERRUPTED: "its worker stopped before it was done",
        RunState.CANCELLED: "it was cancelled",
    }
    return reasons.get(state)
