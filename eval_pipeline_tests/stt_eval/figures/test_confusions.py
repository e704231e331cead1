from collections import Counter
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.stt_eval.figures.confusions import Confusion, Confusions
from eval_pipeline.stt_eval.scoring.alignment import align
from eval_pipeline.stt_eval.scoring.edits import AlignedToken, Edit

TEXTS = st.lists(st.tuples(st.text("abcd", max_size=6), st.text("abcd", max_size=6)), max_size=12)
EDITS = (Edit.SUBSTITUTION, Edit.DELETION, Edit.INSERTION)


def tally(pairs: list[tuple[str, str]], *, capacity: int = 1_000) -> Confusions:
    confusions = Confusions(capacity=capacity)
    for reference, hypothesis in pairs:
        confusions.add(align(reference, hypothesis))
    return confusions


def told(confusions: Confusions) -> dict[tuple[str | None, str | None], int]:
    listed = chain.from_iterable(confusions.most_frequent(edit, limit=10_000) for edit in EDITS)
    return {(one.reference, one.hypothesis): one.count for one in listed}


def exact(pairs: list[tuple[str, str]]) -> Counter[tuple[str | None, str | None]]:
    alignments: list[tuple[AlignedToken, ...]] = [align(*pair) for pair in pairs]
    edits = (token for token in chain.from_iterable(alignments) if token.edit is not Edit.HIT)
    return Counter((token.reference, token.hypothesis) for token in edits)


def test_the_most_frequent_edits_of_a_kind_come_first_and_ties_in_order_of_their_tokens() -> None:
    confusions = tally([("ab", "ac"), ("ab", "ac"), ("ab", "aa"), ("ad", "ab"), ("a", ""), ("", "d"), ("", "c")])

    assert confusions.most_frequent(Edit.SUBSTITUTION, limit=2) == (
        Confusion(reference="b", hypothesis="c", count=2),
        Confusion(reference="b", hypothesis="a", count=1),
    )
    assert confusions.most_frequent(Edit.DELETION, limit=9) == (Confusion(reference="a", hypothesis=None, count=1),)
    assert [one.hypothesis for one in confusions.most_frequent(Edit.INSERTION, limit=9)] == ["c", "d"]
    assert confusions.most_frequent(Edit.HIT, limit=9) == ()


@given(TEXTS)
def test_every_edit_is_counted_once_while_there_is_room(pairs: list[tuple[str, str]]) -> None:
    assert told(tally(pairs)) == exact(pairs)
    assert tally(pairs).missed == 0


@given(TEXTS, st.integers(1, 5))
def test_without_room_counts_are_too_low_by_what_is_told_and_nothing_frequent_is_lost(
    pairs: list[tuple[str, str]], capacity: int
) -> None:
    confusions = tally(pairs, capacity=capacity)
    counts, true = told(confusions), exact(pairs)

    assert len(counts) <= capacity
    assert all(true[key] - confusions.missed <= count <= true[key] for key, count in counts.items())
    assert all(key in counts for key, count in true.items() if count > confusions.missed)
    assert confusions.missed * (capacity + 1) <= true.total()
