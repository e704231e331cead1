"""Which model is named best, how much it answered, and what stands beside the headline."""

import pytest

from eval_pipeline.stt_eval.figures.best import ModelShare, best_models, best_sentence, notes
from eval_pipeline.stt_eval.figures.model_pairs import JudgedPair, judge_pairs
from eval_pipeline_tests.stt_eval.figures.pairs import compared

CLEAR = {"interval": (-0.06, -0.04), "p": 0.0001}
UNCLEAR = {"interval": (-0.06, 0.04), "p": 0.6}


def share(model: str, answered: int = 50, *, wer: float = 0.1, cer: float = 0.04, missed: float = 0.1) -> ModelShare:
    return ModelShare(model, answered, 50, {"WER": wer, "CER": cer}, missed)


def pairs(*names: str, **tests: object) -> list[JudgedPair]:
    """Judge pairs such as "A<B" (better), "A=B" (not distinguishable), "A~B" (the tests disagree), "A-B" (equal)."""
    kinds = {"<": CLEAR, "=": UNCLEAR, "~": {"interval": (-0.06, -0.04), "p": 0.3}, "-": {**CLEAR, "equal": 49}}
    return judge_pairs([compared(one[0], one[2], difference=-0.05, **kinds[one[1]]) for one in names])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("judged", "answered", "models", "sentence"),
    [
        ("", {"A": 50}, ["A"], "A has no other model to compare with"),
        (
            "A<B",
            {"A": 50, "B": 50},
            ["A"],
            "A is the best of 2 models (all 50 samples answered)",
        ),
        ("A<B", {"A": 48, "B": 50}, ["A"], "A is the best of 2 models (48 of 50 samples answered)"),
        (
            "A<B",
            {"A": 12, "B": 50},
            ["B"],
            "B is the only one of 2 models that answered enough to be named best (all 50 samples answered)",
        ),
        (
            "A<B",
            {"A": 12, "B": 44},
            [],
            (
                "no model can be called the best: none answered 90% of the samples"
                " (A answered 12 of 50 samples; B answered 44 of 50 samples)"
            ),
        ),
        (
            "A=B",
            {"A": 50, "B": 50},
            ["A", "B"],
            "A and B are not distinguishable from each other (all 50 samples answered)",
        ),
        (
            "A~B",
            {"A": 50, "B": 45},
            ["A", "B"],
            (
                "whether A and B differ is not certain: two tests of the same difference come out differently"
                " (A answered 50 of 50 samples; B answered 45 of 50 samples)"
            ),
        ),
        ("A-B", {"A": 50, "B": 50}, ["A", "B"], "A and B make equally many errors (all 50 samples answered)"),
        (
            "A=B A<C B<C",
            {"A": 50, "B": 50, "C": 50},
            ["A", "B"],
            (
                "A and B are the best group of 3 models: none is shown to be better than any of them"
                " (all 50 samples answered)"
            ),
        ),
        (
            "C<A C<B A<B",
            {"A": 50, "B": 50, "C": 44},
            ["A"],
            "A is the best of the 2 of 3 models that answered enough (all 50 samples answered)",
        ),
        ("", {"A": 0, "B": 0}, [], "no model can be called the best"),
    ],
)
def test_only_who_answered_nine_of_ten_samples_is_named_best(
    judged: str, answered: dict[str, int], models: list[str], sentence: str
) -> None:
    shares = [share(model, count) for model, count in answered.items()]
    found = pairs(*judged.split())

    assert best_models(found, shares) == models
    assert best_sentence(found, shares) == sentence


def test_what_the_headline_leaves_out_is_said_beside_it() -> None:
    told = list(notes([share("A", 12, wer=0.032, missed=0.758), share("B")], metric="WER", other="CER"))

    assert told == [
        (
            "A answered 12 of 50 samples (24%), too few to be named best: its 3.2% WER is of those alone; with what it"
            " failed on counted as all missed it has 75.8%"
        )
    ]
    assert list(notes([share("A", 12)], metric="WER", other="CER")) == []


def test_both_orders_are_said_where_words_and_characters_order_the_models_differently() -> None:
    first, second, third = share("A", wer=0.1, cer=0.05), share("B", wer=0.12, cer=0.04), share("C", wer=0.3, cer=0.2)

    assert list(notes([first, second, third], metric="WER", other="CER")) == [
        (
            "WER and CER order the models differently, the fewest errors first: by WER A (10.0%), B (12.0%), C (30.0%);"
            " by CER B (4.0%), A (5.0%), C (20.0%)"
        )
    ]
    assert list(notes([first, third], metric="WER", other="CER")) == []
