"""People's verdicts of a whole run against its word error rates: which of them count, over all models and by model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eval_pipeline.core.feedback import Mark, Verdict
from eval_pipeline.stt_eval.verdicts.agreement import VerdictAgreement, agree_with_verdicts
from eval_pipeline.stt_eval.verdicts.results import Result


@dataclass(frozen=True, slots=True)
class RunAgreement:
    """How far WER says what people say, and how many verdicts could not be asked."""

    overall: VerdictAgreement
    models: Mapping[str, VerdictAgreement]
    """By model, those with a verdict that counts, in the order of the run."""
    stale: int
    """Verdicts on earlier transcripts of results that were transcribed again."""
    cleared: int
    without_rate: int
    """Verdicts on transcripts that have no WER: no reference, or one without words."""


def run_agreement(
    results: Iterable[Result], *, verdicts: Mapping[str, Verdict], rates: Mapping[str, float | None]
) -> RunAgreement:
    """Compare every verdict that counts with the rate of its item.

    Args:
        results: of the run.
        verdicts: by item; items that nobody judged may be missing.
        rates: WER by item; None or missing where there is none.
    """
    judged: dict[str, list[tuple[float, bool]]] = {}
    without_rate = 0
    for result in results:
        verdict = verdicts.get(result.item_id, Verdict())
        if verdict.is_correct is None or verdict.stale:
            continue
        rate = rates.get(result.item_id)
        if rate is None:
            without_rate += 1
        else:
            judged.setdefault(result.model, []).append((rate, verdict.is_correct))
    return RunAgreement(
        overall=_agreement(pair for pairs in judged.values() for pair in pairs),
        models={model: _agreement(pairs) for model, pairs in judged.items()},
        stale=sum(verdict.stale and verdict.is_correct is not None for verdict in verdicts.values()),
        cleared=sum(verdict.mark is Mark.CLEARED for verdict in verdicts.values()),
        without_rate=without_rate,
    )


def _agreement(pairs: Iterable[tuple[float, bool]]) -> VerdictAgreement:
    found = list(pairs)
    return agree_with_verdicts([rate for rate, _ in found], [right for _, right in found])
