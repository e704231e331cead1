"""Which model to use, in a sentence, and what stands beside it: who answered too little, orders that differ.

A model that answered fewer than 90 % of the samples is not named best, however few errors it made on those: what it
failed on may be what is hard.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from eval_pipeline.stt_eval.figures.model_pairs import Conclusion, JudgedPair, compared_models, unbeaten_models
from eval_pipeline.stt_eval.figures.pair_sentence import sample_words

LEAST_COVERAGE: Final = 0.9


@dataclass(frozen=True, slots=True)
class ModelShare:
    """How much a model answered, and its rates by metric; None where there is none."""

    model: str
    answered: int
    labelled: int
    rates: Mapping[str, float | None]
    """By metric, over what it answered."""
    with_failures: float | None
    """By the headline metric, failures counted as all missed."""

    @property
    def enough(self) -> bool:
        """Whether it answered so much that it can be named best."""
        return self.labelled > 0 and self.answered >= LEAST_COVERAGE * self.labelled

    @property
    def words(self) -> str:
        """How much it answered."""
        return f"{self.answered:,} of {sample_words(self.labelled)}"


def ranked_models(shares: Sequence[ModelShare]) -> list[str]:
    """Return the models that answered enough to be ranked."""
    return [share.model for share in shares if share.enough]


def best_models(judged: Sequence[JudgedPair], shares: Sequence[ModelShare]) -> list[str]:
    """Return the models than which no other is better, of those that answered enough."""
    if len(shares) == 1:
        return [shares[0].model]
    ranked = ranked_models(shares)
    return ranked if len(ranked) == 1 else unbeaten_models(among(judged, ranked))


def among(judged: Sequence[JudgedPair], models: Sequence[str]) -> list[JudgedPair]:
    """Return the pairs of these models."""
    return [one for one in judged if one.pair.first in models and one.pair.second in models]


def best_sentence(judged: Sequence[JudgedPair], shares: Sequence[ModelShare]) -> str:
    """Name the models that no other is better than, and how much they answered.

    That does not make each of them better than all the others: with A at 10 %, B at 12 % and C at 14 %, A can be shown
    to be better than C, and B be distinguishable from neither.
    """
    ranked = ranked_models(shares)
    if len(shares) == 1:
        return f"{shares[0].model} has no other model to compare with"
    if not ranked:
        return f"no model can be called the best{_nobody(shares)}"
    if len(ranked) == 1:
        said = f"{ranked[0]} is the only one of {len(shares)} models that answered enough to be named best"
    else:
        said = _best_of_ranked(among(judged, ranked), models=len(shares))
    return said + _coverage([share for share in shares if share.model in best_models(judged, shares)])


def _nobody(shares: Sequence[ModelShare]) -> str:
    if not any(share.answered for share in shares):
        return ""
    told = "; ".join(f"{share.model} answered {share.words}" for share in shares)
    return f": none answered {LEAST_COVERAGE:.0%} of the samples ({told})"


def _best_of_ranked(judged: Sequence[JudgedPair], *, models: int) -> str:
    best, compared = unbeaten_models(judged), compared_models(judged)
    ranked = {model for one in judged for model in (one.pair.first, one.pair.second)}
    enough = len(ranked) == models
    of = f"{len(compared)} models" if enough else f"the {len(compared)} of {models} models that answered enough"
    if not best:
        return "no model can be called the best"
    if len(best) == 1:
        return f"{best[0]} is the best of {of}"
    if len(best) == len(compared):
        return _undecided(judged, joined(best))
    return f"{joined(best)} are the best group of {of}: none is shown to be better than any of them"


def _undecided(judged: Sequence[JudgedPair], names: str) -> str:
    found = {one.conclusion for one in judged}
    if found == {Conclusion.SAME_ERRORS}:
        return f"{names} make equally many errors"
    if Conclusion.TESTS_DISAGREE in found:
        return f"whether {names} differ is not certain: two tests of the same difference come out differently"
    return f"{names} are not distinguishable from each other"


def joined(names: Sequence[str]) -> str:
    """Write several names.

    >>> joined(["A", "B", "C"])
    'A, B and C'
    """
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _coverage(shares: Sequence[ModelShare]) -> str:
    """Say how much of the samples a sentence stands on."""
    if not shares:
        return ""
    if all(share.answered == share.labelled for share in shares):
        return f" (all {sample_words(shares[0].labelled)} answered)"
    if len(shares) == 1:
        return f" ({shares[0].words} answered)"
    return f" ({'; '.join(f'{share.model} answered {share.words}' for share in shares)})"


def notes(shares: Sequence[ModelShare], *, metric: str, other: str) -> Iterator[str]:
    """Say what the headline leaves out: who answered too little to be ranked, and orders that differ by metric."""
    for share in shares:
        if not share.enough and share.labelled and len(shares) > 1:
            yield _too_little(share, metric=metric)
    if sentence := _two_orders(shares, metric=metric, other=other):
        yield sentence


def _too_little(share: ModelShare, *, metric: str) -> str:
    told = f"{share.model} answered {share.words} ({share.answered / share.labelled:.0%}), too few to be named best"
    rate = share.rates[metric]
    if rate is None or share.with_failures is None:
        return told
    return (
        f"{told}: its {rate:.1%} {metric} is of those alone; with what it failed on counted as all missed it has"
        f" {share.with_failures:.1%}"
    )


def _two_orders(shares: Sequence[ModelShare], *, metric: str, other: str) -> str | None:
    """Say both orders where two models stand one way by one metric and the other way by the other."""
    rates = {
        share.model: (first, second)
        for share in shares
        if (first := share.rates[metric]) is not None and (second := share.rates[other]) is not None
    }
    if not any((mine[0] - theirs[0]) * (mine[1] - theirs[1]) < 0 for mine, theirs in combinations(rates.values(), 2)):
        return None
    orders = []
    for place, name in enumerate((metric, other)):
        ordered = sorted((found[place], model) for model, found in rates.items())
        orders.append(f"by {name} {', '.join(f'{model} ({rate:.1%})' for rate, model in ordered)}")
    return f"{metric} and {other} order the models differently, the fewest errors first: {'; '.join(orders)}"
