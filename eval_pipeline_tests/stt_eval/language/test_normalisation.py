# ruff: noqa: RUF001 - look-alikes of other scripts are the point
import unicodedata

import pytest

from eval_pipeline.stt_eval.language.normalisation import NORMALISER_VERSIONS, Level, characters, normalise, words
from eval_pipeline.stt_eval.language.words import Word


def _standard(text: str, language: str | None = None) -> str:
    return normalise(text, Level.STANDARD, language=language)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Hello,\tworld\u2028again\u00a0! ", "Hello, world again !"),
        ("cafe\u0301", "caf\u00e9"),
        ("[noise] क\u093cलम <unk>", "[noise] क\u093cलम <unk>"),
        ("", ""),
        (" \n ", ""),
    ],
)
def test_verbatim_composes_and_folds_whitespace_only(text: str, expected: str) -> None:
    assert normalise(text, Level.VERBATIM) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("नमस्ते, दुनिया! आप कैसे हैं?", "नमस्ते दुनिया आप कैसे हैं", id="Hindi keeps its vowel signs"),
        pytest.param("यह ठीक है। हाँ॥", "यह ठीक है हाँ", id="danda"),
        pytest.param("डॉ॰ क़लम ज़्यादा", "डॉ क़लम ज़्यादा", id="abbreviation sign and nukta"),
        pytest.param("आम्ही मराठीत बोलतो…", "आम्ही मराठीत बोलतो", id="Marathi"),
        pytest.param("আমি বাংলায় গান গাই।", "আমি বাংলায় গান গাই", id="Bengali"),
        pytest.param("ਸਤਿ ਸ੍ਰੀ ਅਕਾਲ!", "ਸਤਿ ਸ੍ਰੀ ਅਕਾਲ", id="Punjabi"),
        pytest.param("કેમ છો? મજામાં.", "કેમ છો મજામાં", id="Gujarati"),
        pytest.param("ଆପଣ କେମିତି ଅଛନ୍ତି?", "ଆପଣ କେମିତି ଅଛନ୍ତି", id="Odia"),
        pytest.param("வணக்கம், எப்படி இருக்கிறீர்கள்?", "வணக்கம் எப்படி இருக்கிறீர்கள்", id="Tamil"),
        pytest.param("నమస్కారం, మీరు ఎలా ఉన్నారు?", "నమస్కారం మీరు ఎలా ఉన్నారు", id="Telugu"),
        pytest.param("ನಮಸ್ಕಾರ, ಹೇಗಿದ್ದೀರಿ?", "ನಮಸ್ಕಾರ ಹೇಗಿದ್ದೀರಿ", id="Kannada"),
        pytest.param("നമസ്കാരം, സുഖമാണോ?", "നമസ്കാരം സുഖമാണോ", id="Malayalam"),
        pytest.param("ආයුබෝවන්!", "ආයුබෝවන්", id="Sinhala"),
        pytest.param("ශ්\u200dරී ලංකා", "ශ්රී ලංකා", id="Sinhala joins letters with a joiner"),
        pytest.param("کیا حال ہے؟ ٹھیک ہوں۔", "کیا حال ہے ٹھیک ہوں", id="Urdu"),
        pytest.param("مَرْحَبًا، يا عالم!", "مَرْحَبًا يا عالم", id="Arabic keeps its vowel marks"),
        pytest.param("می\u200cخواهم", "میخواهم", id="Persian non-joiner"),
        pytest.param("\u202bשלום\u202c, עולם\u200f!", "שלום עולם", id="Hebrew with direction marks"),
        pytest.param("สวัสดีครับ!", "สวัสดีครับ", id="Thai"),
        pytest.param("你好，世界。", "你好 世界", id="Chinese"),
        pytest.param("「東京」へ行く。", "東京 へ行く", id="Japanese"),
        pytest.param("Straße ΣΊΣΥΦΟΣ Σίσυφος", "strasse σίσυφοσ σίσυφοσ", id="sharp s and final sigma"),
        pytest.param("ᾼ", "αι", id="subscript iota"),
        pytest.param("soft\u00adhyphen \ufeffmark", "softhyphen mark", id="soft hyphen and byte order mark"),
        pytest.param("naïve co-operate snake_case", "naïve co operate snake case", id="Latin"),
        pytest.param("a\u0000b\u0007c", "a b c", id="control characters"),
    ],
)
def test_standard_keeps_every_letter_and_vowel_sign(text: str, expected: str) -> None:
    assert _standard(text) == unicodedata.normalize("NFC", expected)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("അവന്\u200d", "അവൻ"),
        ("അവള്\u200d", "അവൾ"),
        ("കാര്\u200d", "കാർ"),
        ("പാല്\u200d", "പാൽ"),
        ("കണ്\u200dമണി", "കൺമണി"),
        ("വാക്\u200d", "വാൿ"),
        ("হঠাত্\u200d", "হঠাৎ"),
    ],
)
def test_letters_spelled_with_a_joiner_equal_their_own_code_points(older: str, newer: str) -> None:
    assert _standard(older) == newer
    assert _standard(older.replace("\u200d", "")) != newer


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,000", "1000"),
        ("1,00,000", "100000"),
        ("12,34,56,789.", "123456789"),
        ("१,००,००० रुपये", "100000 रुपये"),
        ("௧௨௩ ൪൫ ੬੭", "123 45 67"),
        ("١٬٢٣٤", "1234"),
        ("1,234.56", "1234 56"),
        ("(5,000),", "5000"),
        ("total,1,000", "total 1000"),
    ],
)
def test_digit_groups_become_one_number(text: str, expected: str) -> None:
    assert _standard(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2,3", "1 2 3"),
        ("0,500", "0 500"),
        ("1000,000", "1000 000"),
        ("1,000,00", "1 000 00"),
        ("1,00,00", "1 00 00"),
        ("12,1,000", "12 1 000"),
        ("1,0000", "1 0000"),
        ("3.5 3,5", "3 5 3 5"),
        ("10:30", "10 30"),
    ],
)
def test_other_signs_between_digits_separate_them(text: str, expected: str) -> None:
    assert _standard(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50%", "50 %"),
        ("50 %", "50 %"),
        ("५०٪", "50 %"),
        ("50％ 5﹪", "50 % 5 %"),
        ("₹500", "₹ 500"),
        ("₹ 1,00,000/-", "₹ 100000"),
        ("500₹", "500 ₹"),
        ("＄5 + €3", "$ 5 € 3"),
        ("﷼5", "﷼ 5"),
    ],
)
def test_per_cent_and_currency_signs_are_tokens(text: str, expected: str) -> None:
    assert _standard(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[noise] hello <unk>", "hello"),
        ("hello [background noise] world", "hello world"),
        ("<|hi|> नमस्ते <|0.00|>", "नमस्ते"),
        ("<b>bold</b> <शोर>", "bold"),
        ("hello[laughter]there", "hello there"),
        ("(really) good", "really good"),
        ("3 < 5 and 6 > 2", "3 5 and 6 2"),
        ("[ " + "long " * 30 + "]", ("long " * 30).strip()),
        ("[open", "open"),
        ("[a [b] c]", "a b c"),
        ("[2] points <doctor> (हँसी) [सुनीता]", "2 points doctor सुनीता"),
        ("<c.yellow>hi</c> <v Fred> [00:01.5 --> 00:03] [SPEAKER_00] [UNK]", "hi"),
        ("{lipsmack} [s] [समझ] [सुनाई नहीं दिया]", "s समझ"),
    ],
)
def test_known_markers_go_with_their_words_and_other_brackets_lose_only_themselves(text: str, expected: str) -> None:
    assert _standard(text) == expected


@pytest.mark.parametrize(
    "emoji", ["👨\u200d👩\u200d👧", "❤\ufe0f", "🏃🏽\u200d♂\ufe0f", "🇮🇳", "🏴\U000e0067\U000e007f", "🙂"]
)
def test_emoji_leave_nothing(emoji: str) -> None:
    assert _standard(f"ok {emoji} ठीक{emoji}") == "ok ठीक"


def test_a_fraction_of_one_sign_is_that_of_three() -> None:
    assert normalise("2½ कप", Level.STANDARD) == normalise("2 1/2 कप", Level.STANDARD) == "2 1 2 कप"


def test_a_keycap_leaves_its_digit() -> None:
    assert _standard("1\ufe0f\u20e3") == "1"


@pytest.mark.parametrize("apostrophe", ["'", "\u2019", "\uff07", "\u2018", "`", "\u02bc", "\u02bb"])
def test_any_apostrophe_parts_a_word_in_the_same_place(apostrophe: str) -> None:
    assert _standard(f"don{apostrophe}t") == "don t"


def test_turkish_and_azerbaijani_fold_their_own_i() -> None:
    assert _standard("IĞDIR İzmir", "tr-TR") == _standard("ığdır izmir", "tr")
    assert _standard("I İ", "az") == "ı i"
    assert _standard("I İ", "en") == "i i\u0307"
    assert normalise("I", Level.LENIENT, language="tr") == "ı"


@pytest.mark.parametrize(
    ("text", "language"), [("α\u0345\u200d\u0301", "el"), ("I\u200d\u0307", "tr"), ("\u00a8\u200d\u0300", None)]
)
def test_a_joiner_does_not_keep_marks_from_their_letter(text: str, language: str | None) -> None:
    assert _standard(text, language) == _standard(text.replace("\u200d", ""), language)


def test_a_mark_without_its_letter_is_kept() -> None:
    assert _standard("-ा") == "ा"


def test_words_carry_what_was_written() -> None:
    text = "“Don’t” pay ₹500  for\tit — ok?"

    assert words(text, Level.STANDARD) == (
        Word(token="don", surface="“Don’t”"),
        Word(token="t", surface=""),
        Word(token="pay", surface="pay"),
        Word(token="₹", surface="₹500"),
        Word(token="500", surface=""),
        Word(token="for", surface="for"),
        Word(token="it", surface="it —"),
        Word(token="ok", surface="ok?"),
    )


def test_what_has_no_token_stands_with_a_word() -> None:
    assert words("[noise]  — नमस्ते दुनिया ।", Level.STANDARD) == (
        Word(token="नमस्ते", surface="[noise] — नमस्ते"),
        Word(token="दुनिया", surface="दुनिया ।"),
    )


@pytest.mark.parametrize("text", ["", "  ", "— ।", "[noise]", "\u200b"])
def test_a_text_without_speech_has_no_words(text: str) -> None:
    assert words(text, Level.STANDARD) == ()


def test_words_that_were_seen_before_and_long_ones_come_out_alike() -> None:
    long = "x" + "क़" * 100

    assert _standard("Ok Ok ok") == "ok ok ok"
    assert _standard(f"{long} {long}") == " ".join([unicodedata.normalize("NFC", long)] * 2)


def test_characters_count_spaces_except_where_words_are_not_separated() -> None:
    assert characters("आ जा।", Level.STANDARD, language="hi") == ("आ", " ", "ज", "ा")
    assert characters("A b", Level.VERBATIM, language=None) == ("A", " ", "b")
    assert characters("你 好。", Level.STANDARD, language="zh-Hans-CN") == ("你", "好")


def test_every_level_has_a_version() -> None:
    assert dict(NORMALISER_VERSIONS) == {
        Level.VERBATIM: "verbatim-1",
        Level.STANDARD: "standard-3",
        Level.LENIENT: "lenient-3",
    }
