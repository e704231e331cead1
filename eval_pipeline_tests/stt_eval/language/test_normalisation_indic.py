# ruff: noqa: RUF001 - letters of other scripts
import pytest

from eval_pipeline.stt_eval.language.normalisation import Level, normalise


def _lenient(text: str) -> str:
    return normalise(text, Level.LENIENT)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("हिन्दी", "हिंदी"),
        ("सम्बन्ध", "संबंध"),
        ("गङ्गा", "गंगा"),
        ("पञ्चायत", "पंचायत"),
        ("घण्टा", "घंटा"),
        ("हाँ", "हां"),
        ("क़लम", "कलम"),
        ("पढ़ाई", "पढाई"),
        ("ऱाम", "राम"),
        ("लम्फ़", "लंफ"),
        ("હિન્દી", "હિંદી"),
        ("હાઁ", "હાં"),
        ("ਹਿੰਦੀ", "ਹਿਂਦੀ"),
        ("ਹਿਨ੍ਦੀ", "ਹਿੰਦੀ"),
        ("ਜ਼ਮੀਨ", "ਜਮੀਨ"),
        ("অঙ্ক", "অংক"),
        ("ଅଙ୍କ", "ଅଂକ"),
        ("హిన్దీ", "హిందీ"),
        ("ಹಿನ್ದಿ", "ಹಿಂದಿ"),
        ("ಫ಼ೋನ್", "ಫೋನ್"),
        ("എൻ്റെ", "എന്റെ"),
        ("എൻറെ", "എന്റെ"),
    ],
)
def test_two_spellings_of_a_word_are_equal_at_lenient_only(one: str, other: str) -> None:
    assert _lenient(one) == _lenient(other)
    assert normalise(one, Level.STANDARD) != normalise(other, Level.STANDARD)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("अन्न", "अंन", id="a nasal before a nasal"),
        pytest.param("जन्म", "जंम", id="a nasal before another class"),
        pytest.param("बाल", "बाला", id="vowel signs"),
        pytest.param("कि", "की", id="vowel length"),
        pytest.param("চাঁদ", "চাংদ", id="Bengali chandrabindu is no anusvara"),
        pytest.param("দন্ত", "দংত", id="Bengali writes no anusvara before a dental"),
        pytest.param("বড়", "বড", id="Bengali nukta makes a letter"),
        pytest.param("ବଡ଼", "ବଡ", id="Odia nukta makes a letter"),
        pytest.param("ਪੱਤਾ", "ਪਤਾ", id="addak doubles"),
        pytest.param("வந்தான்", "வஂதான்", id="Tamil knows no anusvara"),
        pytest.param("അങ്കം", "അംകം", id="Malayalam"),
        pytest.param("ఁ", "ం", id="Telugu chandrabindu"),
        pytest.param("ऱ्हास", "र्हास", id="eyelash ra"),
        pytest.param("उत्तर:", "उत्तरः", id="a colon behind a word that has no visarga"),
        pytest.param("উত্সব", "উৎসব", id="khanda ta within a word"),
    ],
)
def test_different_words_stay_different_at_lenient(one: str, other: str) -> None:
    assert _lenient(one) != _lenient(other)


def test_lenient_is_standard_where_there_is_nothing_to_fold() -> None:
    assert _lenient("Don’t, वह 50%") == normalise("Don’t, वह 50%", Level.STANDARD) == "don t वह 50 %"
