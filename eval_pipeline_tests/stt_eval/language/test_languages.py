import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.stt_eval.language.language_table import FIRST_SCRIPTS_BY_REGION, LANGUAGES, SYNONYMS, UNSEGMENTED
from eval_pipeline.stt_eval.language.languages import direction, language_code, language_name, scripts, unsegmented


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("hi", "hi"),
        (" HI_in ", "hi-IN"),
        ("hi-deva-in", "hi-Deva-IN"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("sl-Rozaj-1994", "sl-rozaj-1994"),
        ("en-u-ca-Gregory-x-Ours", "en-u-ca-gregory-x-ours"),
        ("hin", "hi"),
        ("cmn_Hans_CN", "cmn-Hans-CN"),
        ("zh-yue-HK", "yue-HK"),
        ("iw", "he"),
        ("doi", "doi"),
        ("und", "und"),
        ("mul", "mul"),
        ("qaa-IN", "qaa-IN"),
    ],
)
def test_a_tag_has_one_spelling(value: str, code: str) -> None:
    assert language_code(value) == code
    assert language_code(code) == code


@pytest.mark.parametrize(
    "value",
    [
        "xx",
        "xyz",
        "Hindi",
        "hi-",
        "-hi",
        "hi--IN",
        "h",
        "hi IN",
        "en-USA",
        "en-hin",
        "हिन्दी",
        "",
        "hi-x",
        "x" * 5000,
        "hi-ß",
    ],
)
def test_what_is_no_known_language_is_refused(value: str) -> None:
    with pytest.raises(UsageError) as refused:
        language_code(value)

    assert refused.value.code == "unknown_language"
    assert repr(value[:20])[1:-1] in refused.value.message
    assert len(refused.value.message) < 120
    assert "BCP-47" in refused.value.hint


@pytest.mark.parametrize(
    ("value", "guess"),
    [
        ("hindi", "did you mean hi (Hindi)?"),
        ("Oriya-IN", "give a BCP-47 code"),
        ("malayalm", "did you mean ml (Malayalam)"),
        ("en-USA", "did you mean en (English)"),
        ("bhoj", "bho (Bhojpuri)"),
    ],
)
def test_a_refusal_names_what_may_have_been_meant(value: str, guess: str) -> None:
    with pytest.raises(UsageError) as refused:
        language_code(value)

    assert guess in refused.value.hint


def test_people_read_names() -> None:
    assert language_name("hi") == "Hindi"
    assert language_name("en-IN") == "English (IN)"
    assert language_name("und") == "unknown language"
    assert language_name("qab") == "qab"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("hi", ("Deva",)),
        ("ja", ("Hani", "Hira", "Kana")),
        ("pa", ("Guru", "Arab")),
        ("pa-PK", ("Arab", "Guru")),
        ("sd-IN", ("Deva", "Arab")),
        ("hi-Latn", ("Latn",)),
        ("und", ()),
        ("no tag", ()),
    ],
)
def test_scripts_begin_with_the_usual_one(code: str, expected: tuple[str, ...]) -> None:
    assert scripts(code) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ur", "rtl"),
        ("ar-EG", "rtl"),
        ("he", "rtl"),
        ("dv", "rtl"),
        ("ks", "rtl"),
        ("ks-Deva", "ltr"),
        ("pa-PK", "rtl"),
        ("ur-Latn", "ltr"),
        ("hi", "ltr"),
        ("und", "auto"),
        ("mul", "auto"),
    ],
)
def test_direction_follows_the_script(code: str, expected: str) -> None:
    assert direction(code) == expected


def test_languages_without_spaces_between_words_are_known() -> None:
    assert all(unsegmented(code) for code in ("zh", "ja", "th", "lo", "my", "km", "yue-HK", "zh_Hans_CN", "TH"))
    assert not any(unsegmented(code) for code in ("hi", "ko", "vi", "ja-Latn", "und", None, ""))


def test_the_tables_name_only_languages_that_are_known() -> None:
    assert {*SYNONYMS.values(), *UNSEGMENTED} <= set(LANGUAGES)
    assert {tag.partition("-")[0] for tag in FIRST_SCRIPTS_BY_REGION} <= set(LANGUAGES)
    assert not set(SYNONYMS) & set(LANGUAGES)
    assert all(len(script) == 4 for _, known in LANGUAGES.values() for script in known.split())


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_every_language_of_the_table_is_accepted(code: str) -> None:
    assert language_code(code.upper()) == code
