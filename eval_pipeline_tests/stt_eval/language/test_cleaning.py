# ruff: noqa: RUF001 - typographic quotes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval_pipeline.stt_eval.language.cleaning import CleanTranscript, Removed, clean_transcript
from eval_pipeline.stt_eval.scoring.scoring import HEADLINE, Flag, flags_of, heard_text
from eval_pipeline_tests.stt_eval.any_text import any_text, repeatable

FENCE, JSON, LABEL, QUOTES = Removed.CODE_FENCE, Removed.JSON, Removed.LABEL, Removed.QUOTES


def _cleaned(raw: str) -> tuple[str, tuple[Removed, ...]]:
    clean = clean_transcript(raw)
    return clean.text, clean.removed


@pytest.mark.parametrize(
    "raw",
    [
        "```\nनमस्ते दुनिया\n```",
        "```text\nनमस्ते दुनिया\n```\n",
        "```plaintext \r\nनमस्ते दुनिया\r\n```",
        "```नमस्ते दुनिया```",
        "~~~\nनमस्ते दुनिया\n~~~",
        "```text\nनमस्ते दुनिया",
    ],
)
def test_a_code_block_is_opened(raw: str) -> None:
    assert _cleaned(raw) == ("नमस्ते दुनिया", (FENCE,))


def test_a_code_block_keeps_all_its_lines() -> None:
    assert clean_transcript("```\nहाँ\nhello\n```").text == "हाँ\nhello"
    assert clean_transcript("```hello world\nagain\n```").text == "hello world\nagain"


@pytest.mark.parametrize(
    "raw",
    [
        "Transcript: नमस्ते",
        "TRANSCRIPTION:\n\nनमस्ते",
        "Here is the transcript:\nनमस्ते",
        "Here\u2019s the transcription of the audio:\nनमस्ते",
        "Sure! Here is the verbatim Hindi transcript of the provided audio file: नमस्ते",
        "**Transcript:** नमस्ते",
        "**Transcript**: नमस्ते",
        "## Transcript:\nनमस्ते",
        "प्रतिलेखन: नमस्ते",
        "ट्रांसक्रिप्शन\uff1aनमस्ते",
        "Transcription\u00a0: नमस्ते",
        "Transcripción: नमस्ते",
        "转写\uff1aनमस्ते",
    ],
)
def test_a_leading_label_goes(raw: str) -> None:
    assert _cleaned(raw) == ("नमस्ते", (LABEL,))


@pytest.mark.parametrize(
    "raw", ['"हाँ जी"', "'हाँ जी'", "“हाँ जी”", "‘हाँ जी’", "„हाँ जी“", "«हाँ जी»", "「हाँ जी」", "`हाँ जी`"]
)
def test_quotes_around_all_of_it_go(raw: str) -> None:
    assert _cleaned(raw) == ("हाँ जी", (QUOTES,))


def test_an_apostrophe_does_not_keep_quotes() -> None:
    assert _cleaned("'I don't know'") == ("I don't know", (QUOTES,))
    assert _cleaned("\u2018I don\u2019t know\u2019") == ("I don\u2019t know", (QUOTES,))


@pytest.mark.parametrize(
    "raw",
    [
        '{"transcript": "हाँ जी"}',
        '{"text": "हाँ जी", "language": "hi", "segments": [{"text": "हाँ", "start": 0.5}]}',
        '[{"Transcription": "हाँ जी", "confidence": 0.9}]',
        '["हाँ जी"]',
        '{"transcript": "\\u0939\\u093e\\u0901 \\u091c\\u0940"}',
        '{"answer": "हाँ जी"}',
        '{"text": ["हाँ", "जी"]}',
        '{"result": {"text": "हाँ जी"}}',
        '{"transcript": "हाँ जी", "translation": "Yes, sir"}',
        '{"results": [{"alternatives": [{"transcript": "हाँ जी"}, {"transcript": "हाजी"}]}]}',
        '{"results": {"channels": [{"alternatives": [{"transcript": "हाँ जी", "words": [1]}]}]}}',
        "Transcription(text='हाँ जी', language='hi')",
        '{"NBest": [{"Confidence": 0.9, "DisplayText": "हाँ जी"}]}',
    ],
)
def test_json_with_one_text_is_unwrapped(raw: str) -> None:
    assert _cleaned(raw) == ("हाँ जी", (JSON,))


@pytest.mark.parametrize(
    "raw",
    [
        '["हाँ", "जी"]',
        "['हाँ', 'जी']",
        '[{"start": 0.0, "end": 1.2, "text": "हाँ"}, {"start": 1.2, "text": " जी"}]',
        '[{"text": ["हाँ"], "labels": ["Speech"]}, {"text": ["जी"]}]',
        '{"chunks": [{"timestamp": [0, 1], "text": "हाँ"}, {"text": "जी"}]}',
        '{"text": "हाँ"}\n{"text": "जी"}',
        '[[0.0, 1.2, "हाँ"], [1.2, 2.0, "जी"]]',
    ],
)
def test_texts_and_segments_as_data_are_joined(raw: str) -> None:
    assert _cleaned(raw) == ("हाँ जी", (JSON,))


@pytest.mark.parametrize(
    ("raw", "removed"),
    [
        ("1\n00:00:00,000 --> 00:00:02,100\nहाँ\n\n2\n00:00:02,100 --> 00:00:03,900\nजी\n", Removed.SUBTITLES),
        ("WEBVTT\n\n00:00.000 --> 00:02.000\n<v Ram>हाँ</v>\n\nend\n00:02.000 --> 00:03.000\nजी", Removed.SUBTITLES),
        ("00:00 हाँ\n00:02 जी", Removed.TIME_STAMPS),
        ("0:00\nहाँ\n0:02\nजी", Removed.TIME_STAMPS),
        ("[00:00:00 - 00:00:04] हाँ जी", Removed.TIME_STAMPS),
        ("Speaker 1: हाँ\nSpeaker 2: जी", Removed.SPEAKERS),
        ("**Speaker A:** हाँ जी", Removed.SPEAKERS),
        ("Doctor: हाँ\nPatient: जी", Removed.SPEAKERS),
        ("वक्ता 1: हाँ जी", Removed.SPEAKERS),
        ("<think>The user wants a transcript.</think>हाँ जी", Removed.THINKING),
        ("so it is\n</think>\n\nहाँ जी", Removed.THINKING),
        ("<|startoftranscript|><|hi|><|transcribe|><|0.00|> हाँ जी<|2.00|>", Removed.TOKENS),
        ("language Hindi<asr_text>हाँ जी", Removed.TOKENS),
        ("Here's the transcription in Hindi:\nहाँ जी", LABEL),
        ("Here is the transcript of the audio in Hindi (Devanagari script): हाँ जी", LABEL),
        ("यहाँ ऑडियो का हिंदी में प्रतिलेखन है:\nहाँ जी", LABEL),
        ("Voici la transcription en hindi :\nहाँ जी", LABEL),
        ("Aquí está la transcripción del audio: हाँ जी", LABEL),
        ("Language: Hindi\nहाँ जी", LABEL),
    ],
)
def test_what_models_put_beside_the_words_goes(raw: str, removed: Removed) -> None:
    text, taken_off = _cleaned(raw)

    assert (" ".join(text.split()), taken_off) == ("हाँ जी", (removed,))


HINDI = "नमस्ते दुनिया आप कैसे हैं"
WRAPPED: dict[Removed, tuple[str, ...]] = {
    Removed.LANGUAGE: (
        f"[hi] {HINDI}",
        f"(hi-IN) {HINDI}",
        f"<hi> {HINDI}",
        f"[hin_Deva] {HINDI}",
        f"[Language: Hindi] {HINDI}",
        f"[speaking Hindi] {HINDI}",
        f"Hindi: {HINDI}",
        f"hi: {HINDI}",
        f"**हिन्दी**: {HINDI}",
        "[hi] नमस्ते दुनिया\n[hi] आप कैसे हैं",
    ),
    Removed.NOTES: (
        f"{HINDI}\n(Hello world, how are you?)",
        f"{HINDI}\n(Namaste duniya aap kaise hain)",
        f"{HINDI}\n*(Hello world, how are you?)*",
        f"{HINDI}\nTranslation: Hello world",
        f"{HINDI}\n**English Translation:** Hello",
        f"{HINDI}\n**Translation**\nHello world",
        f"{HINDI} (Translation: Hello world, how are you?)",
        f"{HINDI}\nRomanized: namaste",
        f"{HINDI}\nअनुवाद: Hello",
        "नमस्ते दुनिया\n(Hello world)\nआप कैसे हैं\n(How are you)",
        "नमस्ते दुनिया\nTranslation: Hello world\nआप कैसे हैं\nTranslation: How are you",
        f"{HINDI}\n\n**Note:** unclear\nmore",
        f"{HINDI} (Note: unclear audio)",
        f"{HINDI}\n\nLet me know if you need a translation.",
        f"{HINDI}\n---\nThis is a transcription of the audio.",
        f"{HINDI}\nConfidence: 0.95",
    ),
    Removed.LABEL: (
        f"# Transcript\n\n{HINDI}",
        f"**Transcript**\n{HINDI}",
        f"Okay, here is what was said in the audio:\n{HINDI}",
        f"Here you go:\n{HINDI}",
        f"Transcript - {HINDI}",
        f"The audio transcription is as follows:\n{HINDI}",
        f"ऑडियो में कहा गया है: {HINDI}",
        f"लिखित पाठ: {HINDI}",
        f"Output:\n{HINDI}",
    ),
    Removed.TAGS: (f"<transcript>\n{HINDI}", f"<transcript>{HINDI}</transcript>", f"<text lang='hi'>{HINDI}</text>"),
    Removed.TABLE: (f"| Time | Text |\n|---|---|\n| 0:00 | {HINDI} |",),
    Removed.CODE_FENCE: (f"Sure!\n\n```\n{HINDI}\n```\n\nLet me know if you need anything else.",),
    Removed.SUBTITLES: (
        f"00:00:00,000 --> 00:00:02,100 {HINDI}",
        f"WEBVTT\nKind: captions\nLanguage: hi\n\n00:00.000 --> 00:02.000 align:start position:0%\n{HINDI}",
        f"Dialogue: 0,0:00:00.00,0:00:02.00,Default,,0,0,0,,{HINDI}",
    ),
    Removed.TIME_STAMPS: (
        f"00:00 - 00:04: {HINDI}",
        f"[0.0s - 2.1s] {HINDI}",
        f"[00:00:00:10] {HINDI}",
        f"0.00 - 2.10: {HINDI}",
        "0:00 नमस्ते दुनिया 0:04 आप कैसे हैं",
        "(00:00) नमस्ते दुनिया (00:04) आप कैसे हैं",
        "००:०० नमस्ते दुनिया\n००:०२ आप कैसे हैं",
        "00:00 | नमस्ते दुनिया\n00:02 | आप कैसे हैं",
    ),
    Removed.SPEAKERS: (
        f"Speaker 1 (00:00): {HINDI}",
        f"Speaker 1  0:00\n{HINDI}",
        f"[Speaker 1, 00:00] {HINDI}",
        f"SPEAKER_00: {HINDI}",
        f"ஸ்பீக்கர் 1: {HINDI}",
        "Speaker 1: नमस्ते दुनिया Speaker 2: आप कैसे हैं",
    ),
}


@pytest.mark.parametrize(("removed", "raw"), [(kind, raw) for kind, forms in WRAPPED.items() for raw in forms])
def test_every_form_in_which_models_wrap_what_was_said_is_taken_off(removed: Removed, raw: str) -> None:
    text, taken_off = _cleaned(raw)

    assert (" ".join(text.split()), taken_off) == (HINDI, (removed,))


@pytest.mark.parametrize(
    ("raw", "flag"),
    [
        (f"{HINDI}\nEnglish: Hello world how are you", Flag.TRANSLATION),
        (f"Hindi: {HINDI}\nEnglish: Hello world, how are you?", Flag.TRANSLATION),
        (f"{HINDI}\n\nHello world, how are you", Flag.TRANSLATION),
        (f"{HINDI} (Hello world, how are you?)", Flag.TRANSLATION),
        (f'{{"text": "{HINDI}"', Flag.WRAPPED),
        (f'{{"transcript": "{HINDI}", "text": "b"}}', Flag.WRAPPED),
        (f"Ram: {HINDI}\nSita: हाँ\nRam: जी", Flag.WRAPPED),
        ("English translation:\nHello", Flag.WRAPPED),
        (f"Narrator: {HINDI}", Flag.WRAPPED),
        (f"text: {HINDI}", Flag.WRAPPED),
        ("नमस्ते दुनिया (Hello world)", Flag.TRANSLATION),
    ],
)
def test_what_may_be_a_wrapping_or_speech_is_flagged(raw: str, flag: Flag) -> None:
    clean = clean_transcript(raw)
    heard = heard_text(clean.text, HEADLINE, language="hi")

    assert flag in flags_of(clean.text, truncated=False, heard=heard, language="hi", removed=clean.removed)


def test_speech_in_two_scripts_has_no_flag() -> None:
    for text in (
        "जी हाँ मेरा नाम तो यही है\n(Sunita Patil)",
        "मुझे doctor (डॉक्टर) चाहिए",
        "मैं office जाऊँगा",
        "10:30 बजे मिलते हैं",
    ):
        heard = heard_text(text, HEADLINE, language="hi")
        assert flags_of(text, truncated=False, heard=heard, language="hi") == []


def test_wrappings_are_named_from_the_outside() -> None:
    assert _cleaned('Here is the transcript:\n```json\n{"transcript": "“हाँ”"}\n```') == (
        "हाँ",
        (LABEL, FENCE, JSON, QUOTES),
    )


@pytest.mark.parametrize("raw", ["", "  ", "Transcript:", '""', "```\n```", '{"text": ""}'])
def test_a_wrapping_around_nothing_is_an_empty_transcript(raw: str) -> None:
    assert clean_transcript(raw).text == ""


@pytest.mark.parametrize(
    "raw",
    [
        '"Yes," he said and left.',
        '"Yes," he said, "now"',
        "“हाँ” उसने कहा “ठीक”",
        "'tis the season",
        '"',
        'he said "no"',
        "The transcript was lost",
        "my transcript: it was good",
        "the word is Transcript: he said",
        "text: hello",
        "```a``` and ```b```",
        "so ```a```",
        "[noise] hello",
        "[inaudible]",
        "{ doctor / डॉक्टर }",
        '{"transcript": "a", "text": "b"}',
        '{"text": "a", "text": "b"}',
        '{"text": null}',
        '[{"text": "a"}, 1]',
        "10:30 बजे मिलते हैं",
        "A: one line",
        "मेरा नाम [सुनीता पाटिल] है",
        "Speaker: hello",
        '{"text": "a"',
        "[it] works",
        "[may] I go",
        "[IT] department",
        "[hi] everyone",
        "Hi: नमस्ते",
        "हिंदी: 80, गणित: 90",
        "[2] points कहा",
        "मेरा नाम है\n(Sunita Patil)",
        "मुझे doctor (डॉक्टर) चाहिए",
        "we need three doctors: Ram, Shyam",
        "call customer 5: he waits",
        "patients: 20 today",
        "Student 5: absent",
        "मरीज 3: बुखार",
        "5:00 बजे\n6:00 बजे",
        "10:30\n11:00",
        "00:00 बजे",
        "वक्ता बोले: नमस्ते",
        "1. दूध\n2. चीनी",
        "10:30 बजे 11:30 बजे",
        "translation: the art of meaning",
        "note: buy milk",
        "I hope this helps you\nLet me know",
        "मैं कल आऊँगा\nbecause I have a meeting",
        "<doctor> कहा",
        '{"text": "\\ud83d"}',
        "[1, 2]",
        "[" * 20_000,
    ],
)
def test_what_may_have_been_said_stays(raw: str) -> None:
    assert clean_transcript(raw) == CleanTranscript(text=raw, removed=())


@settings(repeatable, max_examples=300)
@given(any_text | st.text("\"'`“”{}[]:,.\n ate", max_size=20))
def test_what_is_left_is_a_piece_of_the_answer(raw: str) -> None:
    clean = clean_transcript(raw)

    assert set(clean.removed) - {FENCE, LABEL, QUOTES} or clean.text in raw
    assert clean.removed or clean.text == raw.strip()


@settings(repeatable, max_examples=300)
@given(st.text("\"'`“”{}[]:\n at", max_size=20), st.sampled_from(['"{}"', "```\n{}\n```", "Transcript: {}", "«{}»"]))
def test_cleaning_twice_changes_nothing(raw: str, wrapping: str) -> None:
    once = clean_transcript(wrapping.format(raw))

    if len(once.removed) < 10:
        assert clean_transcript(once.text) == CleanTranscript(text=once.text, removed=())


def test_an_answer_of_nothing_but_quotes_ends() -> None:
    assert len(clean_transcript("«" * 5000 + "»" * 5000).removed) == 0
    assert len(clean_transcript("Transcript:" * 5000).removed) == 10
