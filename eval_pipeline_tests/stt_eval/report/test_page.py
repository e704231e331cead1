"""The page and files of a speech run: complete, calm about hostile input, and right in every script."""

import csv
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from eval_pipeline.core.runs import RunState
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.stt_eval.report.audio import ClipLimits
from eval_pipeline.stt_eval.report.data import ShownVerdict
from eval_pipeline.stt_eval.report.page import PageLimits, ReportFiles, plot_markdown, render_markdown, write_report
from eval_pipeline.stt_eval.verdicts.agreement import VerdictAgreement, agree_with_verdicts
from eval_pipeline_tests.reporting.html_pages import read, told
from eval_pipeline_tests.stt_eval.report.speech_runs import CLIP, NOW, Answer, Given, SpeechRun, speech_run

HOSTILE = "</script></style><script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(1)>\u202e\x00"
SECTIONS = ["result", "models", "groups", "errors", "samples", "failures", "people", "method", "provenance"]
HINDI = "कल सुबह १० बजे शिविर लगेगा, बच्चों को लाइए।"
URDU = "یہ پانی صاف نہیں ہے"
SILENCE = Given("", ["", "Thank you for watching."])
UNLABELLED = Given(None, ["क्या आप सुन रहे हैं", "क्या आप सुन रहे है"])
FAILED = Given(HINDI, [Answer(code="SAFETY", message="blocked <b> by SAFETY", outcome="refused"), HINDI])


@dataclass(frozen=True, slots=True)
class Agreement:
    """What people said against WER."""

    overall: VerdictAgreement
    models: Mapping[str, VerdictAgreement] = field(default_factory=dict)
    stale: int = 3
    without_rate: int = 0


def written(run: SpeechRun, folder: Path, *, limits: PageLimits | None = None) -> ReportFiles:
    folder.mkdir()
    audio = run.audio(folder.with_name("clips"))
    return write_report(run.data, run.samples, audio=audio, folder=folder, limits=limits)


def page_of(run: SpeechRun, folder: Path) -> str:
    return written(run, folder / "report").page.read_text("utf-8")


def sample_of(html: str, number: int = 0) -> str:
    """Return what the page says of one sample, by its place."""
    return html.split("<tbody data-place")[number + 1].partition("</tbody>")[0].partition(">")[2]


def full_run() -> SpeechRun:
    """Return a run that has something to say in every section."""
    given = [
        Given(HINDI, [HINDI, "कल सुबह दस बजे शिविर"], metadata={"district": "Kheri"}),
        Given(URDU, [URDU, URDU], language="ur", metadata={"district": "Gaya"}),
        SILENCE,
        UNLABELLED,
        FAILED,
    ]
    verdicts = {
        "s000001m02": ShownVerdict(
            is_correct=False, comment="10 is missing", tags=("number",), reviewer="asha", judged_at=NOW
        )
    }
    agreement = Agreement(agree_with_verdicts([0.1, 0.9], [True, False]))
    return speech_run(given, verdicts=verdicts, agreement=agreement)


def test_a_full_report_has_its_sections_in_order_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    page = read(page_of(full_run(), tmp_path))

    assert [value for value in page.values("id") if value in SECTIONS] == SECTIONS
    assert set(page.values("href")) == {"data:,", *(f"#{name}" for name in SECTIONS)}


def test_it_says_what_was_evaluated(tmp_path: Path) -> None:
    words = told(page_of(full_run(), tmp_path))

    for fact in ("Helpline", "gemini-2.5-flash, whisper-1", "transcribe-1", "standard-3", "21 November 2026", "meera"):
        assert fact in words
    assert "Transcribe the speech in this recording" in words


def test_the_answer_comes_first_and_in_the_words_of_the_tests(tmp_path: Path) -> None:
    run = speech_run([Given(HINDI, [HINDI, " ".join(HINDI.split()[number % 5 :])]) for number in range(30)])
    words = told(page_of(run, tmp_path))

    assert "gemini-2.5-flash is the best of 2 models (all 30 samples answered)." in words
    assert run.data.figures["pairs"][0]["sentence"] in words
    assert words.index("is the best of") < words.index("Word for word right")
    assert "gemini-2.5-flash: 0 errors on 270 spoken words (0.0% WER; 95% interval 0.0% to 1.9%), 30 of 30" in words


def test_what_the_headline_leaves_out_stands_beside_it_and_no_test_is_named_before_the_method(tmp_path: Path) -> None:
    given = [Given(HINDI, [HINDI if number < 12 else Answer(code="timeout"), HINDI[:20]]) for number in range(30)]
    given += [Given("กินยาวันละสองครั้ง", ["กิน ยา", "กินยาวันละสอง ครั้ง"], language="th") for _ in range(3)]
    words = told(page_of(speech_run(given), tmp_path))

    before, method = words[: words.index("Word and character error rate")], words.split("Method", 1)[1]
    assert "whisper-1 is the only one of 2 models that answered enough to be named best" in before
    assert "gemini-2.5-flash answered 15 of 33 samples (45%), too few to be named best" in before
    assert "With failures counted as all missed: whisper-1 and gemini-2.5-flash are not distinguishable" in before
    assert "3 samples in languages written without spaces, Thai (3), are scored by characters" in before
    assert "WER or CER by language" in before
    assert not {"MAPSSWE", "standard-", "verbatim-", "stt-intervals"} & set(re.findall(r"MAPSSWE|\w+-(?=\d)", before))
    assert "MAPSSWE" in method


def test_figures_of_an_earlier_version_are_shown_and_say_how_to_make_them_anew(tmp_path: Path) -> None:
    run = speech_run([Given(HINDI, [HINDI, HINDI[:20]])] * 3)
    figures = {name: value for name, value in run.data.figures.items() if name not in {"method", "speakers"}}
    figures["best"] = {name: value for name, value in figures["best"].items() if name != "notes"}
    figures["pairs"] = [
        {name: value for name, value in pair.items() if name not in {"with_failures", "on_silence", "test", "p"}}
        for pair in figures["pairs"]
    ]
    figures["slices"] = [
        {name: value for name, value in row.items() if name not in {"metric", "cer_with_failures"}}
        for row in figures["slices"]
    ]
    figures["models"] = [
        {name: value for name, value in model.items() if not name.startswith("character_")}
        for model in figures["models"]
    ]
    data = replace(run.data, figures=figures)

    assert "stt rescore helpline-2" in told(page_of(replace(run, data=data), tmp_path))
    assert "stt rescore helpline-2" in render_markdown(data)


@pytest.mark.parametrize(("failed", "state"), [(0, "completed"), (3, "failed")])
def test_the_first_report_says_what_becomes_of_the_run_that_it_ends(tmp_path: Path, failed: int, state: str) -> None:
    """While it is written the run is running: its JSON said so for ever."""
    run = speech_run([Given(HINDI, [HINDI, HINDI[:20]])], threshold=Threshold(0.5, failed=failed, total=4))

    told = json.loads((written(run, tmp_path / "report").folder / "report.json").read_bytes())
    assert told["state"] == state


def test_at_phone_width_every_cell_of_a_sample_carries_its_heading(tmp_path: Path) -> None:
    html = page_of(speech_run([Given(HINDI, [HINDI, HINDI[:20]])]), tmp_path)

    row = html[html.index('<tbody data-place="1"') :].split("</tr>")[0]
    assert re.findall(r'<td[^>]* data-label="([^"]*)"', row) == [
        "Language",
        "Length",
        "Worst WER",
        "gemini-2.5-flash",
        "whisper-1",
    ]
    assert row.count("<td") == 5


def test_hostile_words_are_shown_and_do_nothing(tmp_path: Path) -> None:
    given = [
        Given(HOSTILE, [HOSTILE, Answer(code=HOSTILE, message=HOSTILE, raw=HOSTILE)], metadata={HOSTILE: HOSTILE}),
        Given(HOSTILE, [HOSTILE + "x", ""], sample_id=HOSTILE, file_name=HOSTILE, metadata={HOSTILE: "b"}),
    ]
    models = [HOSTILE.replace("\x00", "").replace("\u202e", ""), "whisper-1"]
    run = speech_run(given, models=models)
    verdicts = {"s000001m01": ShownVerdict(None, HOSTILE, (HOSTILE,), HOSTILE, NOW)}
    record = replace(run.data.run, dataset_name=HOSTILE, requested_by=HOSTILE)
    spec = replace(run.data.spec, prompt=HOSTILE, prompt_version=HOSTILE)
    html = page_of(replace(run, data=replace(run.data, run=record, spec=spec, verdicts=verdicts)), tmp_path)

    page = read(html)
    assert "alert(1)" in "".join(page.text)
    assert "\u202e" not in html
    assert "\x00" not in html
    assert html.count("<script") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_nothing_is_asked_for_and_only_the_page_s_own_script_runs(tmp_path: Path) -> None:
    page = read(page_of(full_run(), tmp_path))

    policy = page.values("content")[0]
    assert policy.startswith("default-src 'none'; ")
    assert re.search(r"script-src 'sha256-[\w+/]{43}='$", policy)
    assert all(source.startswith("data:audio/") for source in page.values("src"))


def test_a_diff_marks_errors_in_the_text_and_keeps_what_was_written(tmp_path: Path) -> None:
    html = page_of(
        speech_run([Given("Yes, the Doctor came.", ["yes Docter came home"], language="en")], models=["m"]), tmp_path
    )

    assert "yes missed: [\u2212the\u2212] said [Doctor→ heard Docter] came added: {+home+}" in told(sample_of(html))


@pytest.mark.parametrize(
    ("text", "language", "way"),
    [(HINDI, "hi", "ltr"), (URDU, "ur", "rtl"), ("明日、東京で。", "ja", "ltr"), ("مرحبا", None, "rtl")],
)
def test_every_text_has_its_language_and_direction(tmp_path: Path, text: str, language: str | None, way: str) -> None:
    html = sample_of(page_of(speech_run([Given(text, [text], language=language)], models=["m"]), tmp_path))

    shown = language or "und-Arab"
    assert f'<span class="prose" dir="{way}" lang="{shown}">{text}</span>' in html
    assert f'<p class="diff" dir="{way}" lang="{shown}">{text}</p>' in html


def test_silence_and_missing_references_are_told_apart(tmp_path: Path) -> None:
    html = page_of(speech_run([SILENCE, UNLABELLED]), tmp_path)

    silent, unlabelled = told(sample_of(html, 0)), told(sample_of(html, 1))
    assert "Silence is expected" in silent
    assert "nothing heard, as expected" in silent
    assert "4 words where nothing is said" in silent
    assert "There is no reference, so nothing is scored." in unlabelled
    assert "क्या आप सुन रहे है" in unlabelled
    assert 'class="diff"' not in sample_of(html, 1)


def test_failures_are_told_in_the_provider_s_own_words(tmp_path: Path) -> None:
    html = page_of(speech_run([FAILED, FAILED]), tmp_path)

    assert "the model refused blocked <b> by SAFETY" in told(sample_of(html))
    failures = told(html[html.index('<section id="failures">') :].partition("</section>")[0] + "</section>")
    assert "The model refusedgemini-2.5-flash, SAFETY 2 transcripts" in failures
    assert failures.count("blocked <b> by SAFETY") == 1


def test_verdicts_stand_beside_the_results_and_their_agreement_is_told(tmp_path: Path) -> None:
    words = told(page_of(full_run(), tmp_path))

    assert "✗ wrong number says asha, 21 November 2026. “10 is missing”" in words
    assert "Verdicts on earlier transcripts, which do not count: 3." in words
    assert "WER up to 10.0%" in words


def test_without_verdicts_there_is_no_section_on_people(tmp_path: Path) -> None:
    assert 'id="people"' not in page_of(speech_run([SILENCE]), tmp_path)


def test_the_worst_sample_stands_first_and_those_without_reference_last(tmp_path: Path) -> None:
    right = Given(HINDI, [HINDI, HINDI], sample_id="right")
    half = Given("एक दो", ["एक", "एक दो"], sample_id="half")
    none = replace(UNLABELLED, sample_id="none")
    added = Given("", ["", "Thank you"], sample_id="added")
    html = page_of(speech_run([right, none, half, replace(FAILED, sample_id="failed"), added]), tmp_path)

    places = [re.search(r'data-sort="(\w+)"', sample_of(html, place)) for place in range(5)]
    assert [place[1] for place in places if place] == ["failed", "added", "half", "right", "none"]


def test_more_samples_than_a_browser_can_show_are_all_in_the_files(tmp_path: Path) -> None:
    run = speech_run([Given("एक दो", ["एक दो", word]) for word in ("एक दो", "एक", "तीन", "एक दो तीन")])

    files = written(run, tmp_path / "report", limits=PageLimits(samples=2))

    html = files.page.read_text("utf-8")
    assert (files.shown_samples, files.samples, html.count("<tbody data-place")) == (2, 4, 2)
    assert "The worst 2 of 4 samples; all of them are in report.csv and report.json" in told(html)
    assert len(rows_of(files)) == 8


def test_sounds_are_inside_the_page_while_there_is_room(tmp_path: Path) -> None:
    limits = PageLimits(clips=ClipLimits(embedded_bytes=2 * 16))
    given = [
        Given("एक दो", ["तीन", "तीन"], clip=CLIP),
        Given("एक दो", ["तीन दो", "तीन दो"], clip=CLIP, sample_id="again"),
        Given("एक दो", ["एक दो", "एक दो"], clip=b"ID3 other", mime_type="audio/mpeg", format="mp3"),
    ]
    files = written(speech_run(given), tmp_path / "report", limits=limits)

    html = files.page.read_text("utf-8")
    inside = f"data:audio/wav;base64,{b64encode(CLIP).decode()}"
    (linked,) = files.clips
    assert read(html).values("src") == [inside, inside, f"audio/{linked.name}"]
    assert linked.read_bytes() == b"ID3 other"
    assert [name for name, _ in files.named()] == ["report.html", "report.json", "report.csv", f"audio/{linked.name}"]
    assert "The sound of 1 clip lies in the folder “audio” beside this page" in told(html)


def test_a_clip_that_is_gone_or_too_large_is_told(tmp_path: Path) -> None:
    limits = PageLimits(clips=ClipLimits(embedded_bytes=20, linked_bytes=0))
    run = speech_run([Given("एक", ["दो", "दो"]), Given("एक", ["एक", "एक"], clip=b"x" * 50)])
    html = written(replace(run, clips={}), tmp_path / "report", limits=limits).page.read_text("utf-8")

    assert "The sound is no longer stored." in told(sample_of(html, 0))
    assert "The sound is in the store alone: audio/" in told(sample_of(html, 1))


def test_examples_of_normalisation_are_of_this_dataset(tmp_path: Path) -> None:
    words = told(page_of(speech_run([Given(HINDI, [HINDI, "Ok"]), Given("PLAIN", ["plain", "plain"])]), tmp_path))

    assert f"as written{HINDI}" in words
    assert "standardकल सुबह 10 बजे शिविर लगेगा बच्चों को लाइए" in words


@pytest.mark.parametrize(
    ("given", "models", "sentence"),
    [
        ([], ["m"], "no sample has a reference transcript"),
        ([UNLABELLED], ["m", "n"], "no sample has a reference transcript"),
        ([Given(HINDI, [Answer(message="down"), Answer()])], ["m", "n"], "no answer could be compared"),
        ([Given("एक दो", ["एक"])], ["m"], "m: 1 error on 2 spoken words (50.0% WER; how far chance moved this"),
    ],
)
def test_a_run_without_a_winner_still_has_its_report(
    tmp_path: Path, given: Sequence[Given], models: Sequence[str], sentence: str
) -> None:
    run = speech_run(given, models=models)
    html = page_of(run, tmp_path)

    read(html)
    assert sentence in told(html)
    assert sentence in render_markdown(run.data)


def test_a_missed_threshold_and_an_unfinished_run_stand_before_everything(tmp_path: Path) -> None:
    run = speech_run([FAILED], threshold=Threshold(0.1, failed=1, total=2))
    data = replace(run.data, run=replace(run.data.run, state=RunState.INCOMPLETE))
    words = told(page_of(replace(run, data=data), tmp_path))

    banner = "1 of 2 transcripts failed (50%); at most 10% may."
    assert banner in words
    assert "This run is not complete" in words
    assert words.index(banner) < words.index("Helpline")
    assert render_markdown(data).startswith("**This run missed its failure threshold.**")


def test_characters_are_the_headline_where_words_have_no_spaces(tmp_path: Path) -> None:
    run = speech_run([Given("明日の朝、東京で。", ["明日朝、東京で", "明日の朝東京で"], language="ja")])
    html = page_of(run, tmp_path)

    assert "Worst CER" in told(html)
    assert "明日 missed: [\u2212の\u2212]朝、東京で" in told(sample_of(html))


def test_an_unknown_price_is_not_zero(tmp_path: Path) -> None:
    run = speech_run([Given(HINDI, [Answer(HINDI, cost=None)])], models=["m"])
    html = page_of(run, tmp_path)

    assert told(html).count("price unknown") >= 3
    assert "$0.00" not in html
    assert "| All models |  |  | price unknown |  |" in render_markdown(run.data)


def test_headings_sort_by_buttons_that_only_the_script_turns_on(tmp_path: Path) -> None:
    html = page_of(full_run(), tmp_path)
    head = html[html.index('<table id="sample-table"') :].partition("</thead>")[0]

    assert re.findall(r"<button ([^>]*)>", head) == ['type="button" disabled'] * 6
    assert re.findall(r'aria-sort="(\w+)"', head) == ["descending"]
    assert '<form id="sample-filter" class="filter" hidden' in html


def test_the_same_run_is_written_the_same_way(tmp_path: Path) -> None:
    first, second = written(full_run(), tmp_path / "a"), written(full_run(), tmp_path / "b")

    assert [path.read_bytes() for _, path in first.named()] == [path.read_bytes() for _, path in second.named()]


def rows_of(files: ReportFiles) -> list[dict[str, str]]:
    with (files.folder / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_csv_and_the_json_hold_every_result(tmp_path: Path) -> None:
    run = speech_run([Given(HINDI, ["=cmd()|' /C calc'!A0", HINDI], metadata={"district": "=1+1"}), UNLABELLED])
    files = written(run, tmp_path / "report")

    rows = rows_of(files)
    assert len(rows) == 4
    assert (rows[0]["transcript"], rows[0]["district"]) == ("'=cmd()|' /C calc'!A0", "'=1+1")
    assert (rows[1]["standard_wer"], rows[1]["standard_exact_match"], rows[1]["cost_usd"]) == ("0.0", "true", "0.0001")
    document = json.loads((files.folder / "report.json").read_bytes())
    assert document["figures"] == run.data.figures
    assert [row["item_id"] for row in document["results"]] == [row["item_id"] for row in rows]
    assert document["results"][0]["transcript"] == "=cmd()|' /C calc'!A0"


def test_the_json_of_no_samples_can_be_read(tmp_path: Path) -> None:
    files = written(speech_run([]), tmp_path / "report")

    assert json.loads((files.folder / "report.json").read_bytes())["results"] == []


def test_markdown_leads_with_the_answer_and_cannot_be_broken_out_of() -> None:
    run = speech_run([Given(HINDI, [HINDI, HINDI[: 4 * number]]) for number in range(12)], models=["m`|<b>", "n"])

    text = render_markdown(run.data)

    assert text.startswith("**`` m`\\|<b> is the best of 2 models (all 12 samples answered) ``**")
    assert "- `` m`\\|<b> is better than n by" in text
    assert "| `` m`\\|<b> `` | 0.0% |" in text
    assert "](data:image/svg+xml;base64," in text


def test_there_is_no_plot_of_nothing() -> None:
    assert plot_markdown(speech_run([UNLABELLED]).data) == ""
