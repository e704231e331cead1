"""Do people and the error rate agree? Their verdicts (right or wrong, per transcript) against its WER.

Nothing is fitted: AUC asks whether wrong transcripts have the higher rates, whatever the scale; the best threshold says
up to which rate people accept. Found on the verdicts it is measured on, it flatters itself with few of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AcceptedRate:
    """Taking transcripts up to a rate as right, the rest as wrong, agrees best with people."""

    at_most: float
    kappa: float
    """Cohen's kappa: agreement beyond chance."""
    agreement: float
    """Share of transcripts on which both say the same."""


@dataclass(frozen=True, slots=True)
class VerdictAgreement:
    """How far a rate says what people say; None, but for the counts, where people called all right or all wrong."""

    right: int
    wrong: int
    auc: float | None
    """Probability that a wrong transcript has a higher rate than a right one, ties by half (Mann-Whitney)."""
    correlation: float | None
    """Point-biserial: of the rate with being wrong; None too where all rates are the same."""
    best: AcceptedRate | None
    """None too where no threshold agrees better than chance."""


def agree_with_verdicts(rates: Sequence[float], right: Sequence[bool]) -> VerdictAgreement:
    """Compare the rate of every judged transcript with its verdict."""
    values, verdicts = np.asarray(rates, dtype=np.float64), np.asarray(right, dtype=np.bool_)
    if values.shape != verdicts.shape or not np.isfinite(values).all():
        raise ValueError(f"{len(values)} rates for {len(verdicts)} verdicts: each needs a rate that is a number")
    count = int(verdicts.sum())
    both = 0 < count < len(verdicts)
    return VerdictAgreement(
        right=count,
        wrong=len(verdicts) - count,
        auc=_auc(values, verdicts) if both else None,
        correlation=_correlation(values, verdicts) if both else None,
        best=_best_threshold(values, verdicts) if both else None,
    )


def cohen_kappa(*, both: int, first_only: int, second_only: int, neither: int) -> float | None:
    """Return Cohen's kappa (1960) of two yes/no judges; None where chance alone would make them agree on everything."""
    total = both + first_only + second_only + neither
    first, second = both + first_only, both + second_only
    by_chance = first * second + (total - first) * (total - second)
    if by_chance == total * total:
        return None
    return (total * (both + neither) - by_chance) / (total * total - by_chance)


def _auc(values: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Count, for every wrong transcript, the right ones below it and half of those beside it."""
    accepted = np.sort(values[right])
    below = np.searchsorted(accepted, values[~right], side="left")
    up_to = np.searchsorted(accepted, values[~right], side="right")
    return float((below + up_to).sum() / (2 * len(accepted) * np.count_nonzero(~right)))


def _correlation(values: NDArray[np.float64], right: NDArray[np.bool_]) -> float | None:
    if values.min() == values.max():
        return None
    return float(np.corrcoef(values, ~right)[0, 1])


def _best_threshold(values: NDArray[np.float64], right: NDArray[np.bool_]) -> AcceptedRate | None:
    """Try every rate that occurs; of equally good ones take the lowest."""
    found = []
    for rate in np.unique(values).tolist():
        accepted = values <= rate
        both, neither = int((accepted & right).sum()), int((~accepted & ~right).sum())
        first_only, second_only = int((accepted & ~right).sum()), int((~accepted & right).sum())
        kappa = cohen_kappa(both=both, first_only=first_only, second_only=second_only, neither=neither)
        if kappa is not None and kappa > 0:
            found.append(AcceptedRate(at_most=rate, kappa=kappa, agreement=(both + neither) / len(values)))
    return max(found, key=lambda one: (one.kappa, -one.at_most), default=None)
