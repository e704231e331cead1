"""The figures of a run: finite and the same every time, whatever the samples are."""

from decimal import Decimal
from typing import Any

import jiwer
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eval_pipeline.core.damaged_text import is_lost
from eval_pipeline.stt_eval.language.languages import UNSEGMENTED
from eval_pipeline.stt_eval.language.normalisation import Level, words
from eval_pipeline.stt_eval.scoring.scores import ScoredSample
from eval_pipeline_tests.stt_eval.any_text import any_text, repeatable
from eval_pipeline_tests.stt_eval.figures.spoken import FAILED, RUN, Heard, figures, of_one, sample_row, scored

WORDS = "यह वह टीका दवा बच्चे को कब दें पानी गाँव में डॉक्टर ने कहा कि है नहीं आज कल २५० ₹ हूँ।"
SENTENCES = st.lists(st.sampled_from(WORDS.split(" ")), max_size=12).map(" ".join)
HEARD = st.one_of(st.just(FAILED), st.builds(Heard, SENTENCES))
ODD_NAMES = ("org/model:free", "模型", 'a"b', "<b>", "{x}", "a,b", "gemini-2.5-flash", "=1+1", "'")
SAMPLES = st.lists(
    st.tuples(
        st.one_of(st.none(), SENTENCES, st.just("{ दवा / टीका } दें"), st.just("कहा { कि / @ } आज")),
        st.sampled_from(["hi", "mr", None]),
        st.one_of(st.none(), st.floats(0.1, 60)),
        st.dictionaries(st.sampled_from(["speaker", "district"]), st.sampled_from(["a", "b", "c", " "])),
        HEARD,
        HEARD,
    ),
    max_size=12,
)


def run_of(samples: list[tuple[object, ...]]) -> list[ScoredSample]:
    """Return what two models made of drawn samples."""
    return [
        scored(
            sample_row(number, reference, language=language, duration_s=duration_s, metadata=metadata),
            {"A": first, "B": second},
            default="hi",
        )
        for number, (reference, language, duration_s, metadata, first, second) in enumerate(samples)
    ]


@settings(repeatable, max_examples=50)
@given(SAMPLES)
def test_whatever_the_samples_are_figures_are_finite_and_add_up(samples: list[tuple[object, ...]]) -> None:
    found = figures(["A", "B"], run_of(samples))

    counts = found["samples"]
    assert counts["total"] == len(samples)
    assert counts["labelled"] + counts["unlabelled"] == len(samples)
    for model in found["models"]:
        assert sum(model["outcomes"].values()) == len(samples)
        assert model["substitutions"] + model["deletions"] + model["insertions"] == model["wer"]["edits"]
        assert model["wer"]["samples"] == model["answered"]
        assert model["wer_with_failures"]["samples"] == counts["labelled"]
        assert model["levels"]["standard"]["wer"] == model["wer"], "one figure has one interval"
        assert model["levels"]["standard"]["cer"] == model["cer"]
        for rate in (model["wer"], model["cer"], model["wer_with_failures"]):
            assert rate["value"] is None or rate["value"] == rate["edits"] / rate["length"]
            assert rate["low"] is None or rate["low"] <= rate["high"]
        assert_slices_add_up(found, model)


def assert_slices_add_up(found: dict[str, Any], model: dict[str, Any]) -> None:
    """Check that slices which part the samples add up to the whole."""
    for column in {piece["column"] for piece in found["slices"]} & {"language", "duration"}:
        pieces = [one for one in found["slices"] if (one["column"], one["model"]) == (column, model["model"])]
        assert sum(piece["samples"] for piece in pieces) == model["labelled"]
        assert sum(piece["answered"] for piece in pieces) == model["answered"]
        for rate in ("wer", "cer", "wer_with_failures"):
            for count in ("edits", "length", "samples"):
                assert sum(piece[rate][count] for piece in pieces) == model[rate][count]


@settings(repeatable, max_examples=20)
@given(SAMPLES)
def test_the_same_run_has_the_same_figures(samples: list[tuple[object, ...]]) -> None:
    assert figures(["A", "B"], run_of(samples)) == figures(["A", "B"], run_of(samples))


def test_differences_depend_on_the_name_of_the_run_and_rates_do_not() -> None:
    samples = [
        scored(
            sample_row(number, " ".join(["एक"] * (3 + number % 7))),
            {"A": Heard(" ".join(["एक"] * (number % 5))), "B": Heard("एक")},
        )
        for number in range(60)
    ]

    ours, theirs = figures(["A", "B"], samples), figures(["A", "B"], samples, run=(*RUN[:-1], "v2"))

    assert ours["models"] == theirs["models"]
    assert ours["pairs"][0]["difference"] == theirs["pairs"][0]["difference"]
    assert ours["pairs"][0]["low"] != theirs["pairs"][0]["low"]


@repeatable
@given(st.lists(any_text, min_size=1, max_size=4))
def test_what_is_said_is_no_error(texts: list[str]) -> None:
    plain = [text.replace("{", "").replace("}", "").replace("@", "") for text in texts]
    assume(not any(map(is_lost, plain)))

    [model] = of_one([(text, text) for text in plain])["models"]

    assert [model[rate]["edits"] for rate in ("wer", "cer", "wer_with_failures")] == [0, 0, 0]
    assert model["exact_match_share"] == 1
    assert all(level[rate]["edits"] == 0 for level in model["levels"].values() for rate in ("wer", "cer"))


@repeatable
@given(st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=10))
def test_the_pooled_rate_is_that_of_jiwer_over_the_normalised_texts(pairs: list[tuple[str, str]]) -> None:
    def normal(text: str) -> str:
        return " ".join(word.token for word in words(text, Level.STANDARD, language="hi"))

    references, heard = [normal(one) for one, _ in pairs], [normal(other) for _, other in pairs]
    [model] = of_one(pairs)["models"]

    spoken = [(reference, text) for reference, text in zip(references, heard, strict=True) if reference]
    silent = sum(len(text.split()) for reference, text in zip(references, heard, strict=True) if not reference)
    counted = jiwer.process_words([one for one, _ in spoken], [other for _, other in spoken]) if spoken else None
    edits = 0 if counted is None else counted.substitutions + counted.deletions + counted.insertions
    assert model["wer"]["edits"] == edits + silent
    assert model["insertions_on_silence"] == silent
    if counted is not None and not silent:
        assert model["wer"]["value"] == pytest.approx(counted.wer, abs=1e-12)


def test_failures_count_as_deletions_beside_the_rate_over_answers() -> None:
    [model] = of_one([("एक दो तीन", "एक दो"), ("चार पाँच", None)])["models"]

    assert (model["coverage"], model["answered"], model["labelled"]) == (0.5, 1, 2)
    assert (model["wer"]["edits"], model["wer"]["length"]) == (1, 3)
    assert (model["wer_with_failures"]["edits"], model["wer_with_failures"]["length"]) == (3, 5)
    assert model["cer_with_failures"]["edits"] > model["cer"]["edits"]
    assert model["outcomes"] == {"failed": 1, "ok": 1}


def test_words_on_silence_have_no_rate_but_are_counted() -> None:
    found = of_one([("", "नमस्ते जी"), ("  ", ""), ("।", "हाँ")])

    [model] = found["models"]
    assert model["wer"]["value"] is None
    assert (model["insertions_on_silence"], model["exact_match_share"]) == (3, pytest.approx(1 / 3))
    assert (model["wer_mean"], model["wer_median"]) == (None, None)
    assert found["samples"]["silent"] == 3
    assert model["flags"] == {"empty": 1}


def test_references_that_are_damaged_or_not_understood_are_counted_apart() -> None:
    found = of_one([("nan", "the doctor"), ("???? ??", "हाँ जी"), ("[inaudible]", "yes"), ("हाँ", "हाँ")])

    [model] = found["models"]
    counted = {
        name: found["samples"][name] for name in ("labelled", "damaged", "not_understood", "unlabelled", "silent")
    }
    assert counted == {"labelled": 1, "damaged": 2, "not_understood": 1, "unlabelled": 0, "silent": 0}
    assert (model["wer"]["edits"], model["wer"]["length"], model["insertions_on_silence"]) == (0, 1, 0)


def test_unlabelled_samples_count_as_heard_and_not_as_scored() -> None:
    found = of_one([(None, "एक दो"), (None, "")])

    [model] = found["models"]
    assert (found["samples"]["labelled"], found["samples"]["unlabelled"]) == (0, 2)
    assert (model["labelled"], model["coverage"], model["wer"]["value"]) == (0, None, None)
    assert model["outcomes"] == {"ok": 2}
    assert model["flags"] == {"empty": 1}
    assert found["slices"] == []


def test_no_sample_at_all_has_no_figure_and_no_best_model() -> None:
    found = figures(["A", "B"], [])

    assert found["samples"]["total"] == 0
    assert [model["wer"]["value"] for model in found["models"]] == [None, None]
    assert [pair["better"] for pair in found["pairs"]] == [None]


def test_when_everything_failed_nothing_is_called_best() -> None:
    samples = [scored(sample_row(number, "एक दो"), {"A": FAILED, "B": FAILED}) for number in range(5)]

    found = figures(["A", "B"], samples)

    assert [model["wer"]["value"] for model in found["models"]] == [None, None]
    assert [model["wer_with_failures"]["value"] for model in found["models"]] == [1.0, 1.0]
    assert [model["latency_s"] for model in found["models"]] == [None, None]
    [pair] = found["pairs"]
    assert pair["better"] is None


def test_one_model_is_compared_with_nobody() -> None:
    found = of_one([("एक दो", "एक")])

    assert found["pairs"] == []
    assert found["best"]["models"] == ["m"]


def test_a_model_that_is_better_by_far_is_called_so() -> None:
    samples = [
        scored(
            sample_row(number, "एक दो तीन चार"), {"A": Heard("एक दो तीन चार"), "B": Heard(f"एक{' दो' * (number % 2)}")}
        )
        for number in range(60)
    ]

    found = figures(["A", "B"], samples)

    assert found["best"]["models"] == ["A"]
    assert found["pairs"][0]["better"] == "A"
    assert found["pairs"][0]["samples"] == 60


@pytest.mark.parametrize("language", sorted(UNSEGMENTED))
def test_characters_are_the_headline_where_words_are_no_measure(language: str) -> None:
    assert of_one([("今日は", "今日は"), ("a", "b")], language=language)["metric"] == "CER"


def test_words_stay_the_headline_of_a_dataset_that_is_mostly_segmented() -> None:
    samples = [
        scored(sample_row(number, "one two", language="ja" if number < 2 else "en"), {"m": Heard("one two")})
        for number in range(4)
    ]

    assert figures(["m"], samples)["metric"] == "WER"
    assert figures(["m"], samples[:3])["metric"] == "CER"


def test_models_may_have_any_name() -> None:
    samples = [scored(sample_row(0, "एक दो"), dict.fromkeys(ODD_NAMES, Heard("एक")))]

    found = figures(ODD_NAMES, samples)

    assert [model["model"] for model in found["models"]] == list(ODD_NAMES)
    assert len(found["pairs"]) == len(ODD_NAMES) * (len(ODD_NAMES) - 1) // 2


def test_the_price_of_an_hour_is_that_of_clips_that_were_answered_and_measured() -> None:
    half_dollar = Heard("एक", cost_usd=Decimal("0.5"))
    rows = [
        scored(sample_row(0, "एक", duration_s=1800.0), {"m": half_dollar}),
        scored(sample_row(1, "एक", duration_s=None), {"m": half_dollar}),
        scored(sample_row(2, "एक", duration_s=600.0), {"m": FAILED}),
    ]

    [model] = figures(["m"], rows)["models"]

    assert model["cost_usd"] == 1.0
    assert model["cost_usd_per_audio_hour"] == 1.0


def test_one_price_that_is_not_known_leaves_the_sum_unknown() -> None:
    rows = [
        scored(sample_row(0, "एक"), {"m": Heard("एक")}),
        scored(sample_row(1, "एक"), {"m": Heard("एक", cost_usd=None)}),
    ]

    [model] = figures(["m"], rows)["models"]

    assert (model["cost_usd"], model["cost_usd_per_audio_hour"]) == (None, None)


def test_what_was_confused_most_comes_first() -> None:
    [model] = of_one([("दवा कब दें", "हवा कब दें"), ("दवा दें", "हवा दें"), ("टीका दें", "ठीक दें जी")])["models"]

    confused = model["confusions"]["substitution"]
    assert [(one["reference"], one["hypothesis"], one["count"]) for one in confused] == [
        ("दवा", "हवा", 2),
        ("टीका", "ठीक", 1),
    ]
    assert model["confusions"]["insertion"] == [{"reference": None, "hypothesis": "जी", "count": 1}]


def mixed(**heard: tuple[str, str]) -> list[ScoredSample]:
    """Return ten Hindi samples and three in Thai; every model is given by what it heard of each."""
    texts = [("hi", "दवा कब दें आज"), ("th", "กินยาวันละสองครั้ง")]
    return [
        scored(
            sample_row(number, texts[number >= 10][1], language=texts[number >= 10][0]),
            {model: Heard(said[number >= 10]) for model, said in heard.items()},
        )
        for number in range(13)
    ]


def test_languages_without_spaces_are_scored_by_characters_and_are_no_part_of_any_wer() -> None:
    """A Thai transcript that differs in spaces alone had a WER of 400 % and entered the pooled headline."""
    found = figures(["A"], mixed(A=("दवा कब दें", "กิน ยา วัน ละ สอง ครั้ง")))

    [model] = found["models"]
    assert (found["metric"], model["wer"]["edits"], model["wer"]["length"]) == ("WER", 10, 40)
    assert (model["wer"]["samples"], model["cer"]["samples"], model["deletions"]) == (10, 13, 10)
    assert model["wer_with_failures"]["length"] == 40
    assert model["exact_match_share"] == pytest.approx(3 / 13)
    assert model["confusions"]["substitution"] == []
    by_language = {one["value"]: one for one in found["slices"] if one["column"] == "language"}
    assert (by_language["th"]["metric"], by_language["hi"]["metric"]) == ("CER", "WER")
    assert (by_language["th"]["cer"]["edits"], by_language["th"]["wer"]["value"]) == (0, None)
    [note] = found["best"]["notes"]
    assert note == (
        "3 samples in languages written without spaces, Thai (3), are scored by characters and are no part of any WER;"
        " their CER: A 0.0%"
    )


def test_text_without_spaces_is_scored_by_characters_where_nobody_named_its_language() -> None:
    samples = [
        scored(sample_row(number, "กินยาวันละสองครั้ง", language=language), {"A": Heard("กิน ยา วัน ละ สอง ครั้ง")})
        for number, language in enumerate((None, "und", "mul"))
    ]

    found = figures(["A"], samples)

    assert (found["metric"], found["models"][0]["cer"]["edits"], found["models"][0]["wer"]["value"]) == ("CER", 0, None)
    assert {(row["wer"], row["cer"], row["exact_match"]) for one in samples for row in one.rows} == {(None, 0.0, True)}
    assert {one.language for one in samples} == {"und-Thai"}


def test_a_pair_of_a_mixed_run_is_compared_where_both_have_words() -> None:
    [pair] = figures(["A", "B"], mixed(A=("दवा कब दें", "กินยา"), B=("दवा कब दें", "กินยาวันละสองครั้ง")))["pairs"]

    assert (pair["samples"], pair["mapsswe"]["utterances"], pair["conclusion"]) == (10, 10, "same_errors")


def test_what_is_scored_by_characters_alone_has_no_wer_and_says_so() -> None:
    found = of_one([("กินยา", "กิน ยา"), ("วันละสองครั้ง", "วันละสอง")], language="th")

    [model] = found["models"]
    assert (found["metric"], model["wer"]["value"], model["hits"]) == ("CER", None, 0)
    assert model["character_deletions"] == model["cer"]["edits"] == 5
    assert [one["reference"] for one in model["confusions"]["deletion"]] == sorted("ครั้ง")


def test_a_model_that_failed_on_most_clips_is_not_named_best_and_is_compared_with_its_failures() -> None:
    """It had 3.2 % on the twelve clips that it answered, 75.8 % with those that it failed on."""
    right, wrong = "एक दो तीन चार पाँच", "एक दो तीन चार"
    samples = [
        scored(sample_row(number, right), {"A": Heard(right) if number < 12 else FAILED, "B": Heard(wrong)})
        for number in range(50)
    ]

    found = figures(["A", "B"], samples)

    [pair] = found["pairs"]
    assert (found["best"]["models"], pair["better"]) == (["B"], "A")
    assert "answered 12 of 50 samples (24%), too few to be named best" in found["best"]["notes"][0]
    assert (pair["with_failures"]["better"], pair["with_failures"]["samples"]) == ("B", 50)
    assert pair["with_failures"]["sentence"].startswith("with failures counted as all missed: B is better than A by 56")


def test_models_are_compared_on_silence_where_nothing_else_was_said() -> None:
    samples = [scored(sample_row(number, ""), {"A": Heard("हाँ जी नमस्ते"), "B": Heard("")}) for number in range(8)]

    found = figures(["A", "B"], samples)

    [pair] = found["pairs"]
    assert (pair["better"], pair["test"], found["best"]["models"]) == ("B", "sign", ["B"])
    assert (pair["on_silence"]["first_words"], pair["on_silence"]["second_words"]) == (24, 0)


def spoken_by(*speakers: str, column: str = "speaker_id") -> list[ScoredSample]:
    return [
        scored(
            sample_row(number, "एक दो तीन", metadata={column: speaker}), {"m": Heard(f"एक{' दो' * (speaker == 'x')}")}
        )
        for number, speaker in enumerate(speakers)
    ]


def test_samples_of_one_speaker_count_together_where_the_run_says_who_speaks() -> None:
    samples = spoken_by(*"xxxxyyyyzzzz")

    alone, together = figures(["m"], samples), figures(["m"], samples, speaker_column="speaker_id")

    ours, theirs = alone["models"][0]["wer"], together["models"][0]["wer"]
    assert ours["value"] == theirs["value"]
    assert theirs["high"] - theirs["low"] > 2 * (ours["high"] - ours["low"])
    assert (alone["speakers"], together["speakers"]) == (None, {"column": "speaker_id", "count": 3})
    assert not any("looks as if" in note for note in together["best"]["notes"])
    assert "The column speaker_id looks as if it named who speaks (3 in 12 samples)" in alone["best"]["notes"][0]


@pytest.mark.parametrize(
    ("column", "speakers"), [("district", "xxyy"), ("speaker_id", "wxyz"), ("speech_rate", "xxyy"), ("speaker_id", "")]
)
def test_no_hint_is_given_where_no_column_names_speakers_that_recur(column: str, speakers: str) -> None:
    notes = figures(["m"], spoken_by(*speakers, column=column))["best"]["notes"]
    assert not any("looks as if" in note for note in notes)
