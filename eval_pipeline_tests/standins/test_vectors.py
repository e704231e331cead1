import numpy as np
import pytest

from eval_pipeline.standins.vectors import embed, words


def cosine(first: str, second: str, width: int = 3072) -> float:
    one, other = embed([first, second], width)
    return float(one @ other)


@pytest.mark.parametrize("width", [1, 7, 256, 1536, 3072])
def test_every_vector_has_unit_length_and_the_width_asked_for(width: int) -> None:
    vectors = embed(["one", "two words", "😀", "   ", "...", "हिन्दी में", *map(str, range(300))], width)

    assert vectors.shape == (306, width)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_text_has_the_same_vector_in_any_company() -> None:
    alone = embed(["the same text"], 64)[0]
    in_company = embed([f"company {i}" for i in range(200)] + ["the same text"], 64)[-1]

    assert np.array_equal(alone, in_company)
    assert cosine("The same text!", "the  same\ntext") == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "sharing", "strange"),
    [
        ("the capital of France is Paris", "Paris it is", "bananas grow slowly"),
        ("दिल्ली भारत की राजधानी है", "भारत की राजधानी दिल्ली", "केले पीले होते हैं"),
        ("पानी", "पानी पियो", "पान"),
        ("عاصمة فرنسا باريس", "باريس", "موز أصفر"),
    ],
)
def test_shared_words_give_more_cosine_than_none(text: str, sharing: str, strange: str) -> None:
    assert cosine(text, sharing) > 0.3
    assert abs(cosine(text, strange)) < 0.15


def test_more_shared_words_give_more_cosine() -> None:
    text = "one two three four five six"

    values = [cosine(text, other) for other in ("one x y z", "one two y z", "one two three z", text)]

    assert values == sorted(values)
    assert values[-1] == pytest.approx(1)


def test_combining_marks_stay_with_their_word() -> None:
    assert words("हिन्दी, में।") == ["हिन्दी", "में"]
    assert words("क्\u200dष") == ["क्ष"]
    assert words("Straße—CAFÉ") == ["strasse", "café"]
