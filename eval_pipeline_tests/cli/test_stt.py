"""What ``stt run`` refuses before anything is claimed or paid, what it estimates, and how a run is shown."""

import pytest

from eval_pipeline_tests.cli.conftest import GOLDEN
from eval_pipeline_tests.cli.refusals import refusal
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.stt_eval.recordings import encoded
from eval_pipeline_tests.stt_eval.spoken_run import MODELS, begin_spoken_run, write_spoken_run

RUN = ("--dataset", "clips", "--model", "gemini-2.5-flash")
LIVE = ("--dataset", "clips", "--model", "whisper-1", "--mode", "live")
NOWHERE = {"GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
BAD_CONFIGS = {
    "unknown key": ("model: whisper-1", "invalid_config"),
    "key of a text run": ("scorers: [numeric]", "invalid_config"),
    "no list of models": ("models: 5", "invalid_config"),
    "no models": ("models: []", "invalid_config"),
    "model no name": ("models: [5]", "invalid_config"),
    "model twice": ("models: [whisper-1, openai/whisper-1]", "invalid_config"),
    "blank prompt": ("models: [gemini-2.5-flash]\nprompt: '  '", "invalid_config"),
    "prompt no text": ("models: [gemini-2.5-flash]\nprompt: [a]", "invalid_config"),
    "half a call": ("models: [gemini-2.5-flash]\nconcurrency: 1.5", "invalid_config"),
    "no call at all": ("models: [gemini-2.5-flash]\nconcurrency: 0", "invalid_config"),
    "threshold over 1": ("models: [gemini-2.5-flash]\nfailure_threshold: 1.5", "invalid_config"),
    "threshold no number": ("models: [gemini-2.5-flash]\nfailure_threshold: .nan", "invalid_config"),
    "unknown mode": ("models: [gemini-2.5-flash]\nmode: slow", "invalid_config"),
    "unknown transport": ("models: [gemini-2.5-flash]\naudio_transport: post", "invalid_config"),
    "unknown language": ("models: [gemini-2.5-flash]\nlanguage: hindi", "unknown_language"),
    "language no text": ("models: [gemini-2.5-flash]\nlanguage: 5", "invalid_config"),
    "a date of no calendar": ("models: [gemini-2.5-flash]\nprompt: 2026-13-45", "invalid_config"),
}


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """A home with two clips and a text dataset; nothing here reaches a provider."""
    made = Commands(tmp_path_factory.mktemp("stt"), GEMINI_API_KEY="any", OPENAI_API_KEY="any", **NOWHERE)
    clips = made.folder / "clips"
    clips.mkdir()
    for number in (1, 2):
        (clips / f"{number}.wav").write_bytes(encoded("WAV", seconds=number))
    (clips / "manifest.csv").write_text("audio,reference\n1.wav,एक दो\n2.wav,तीन\n", encoding="utf-8")
    made.json("dataset", "add", "clips", str(clips / "manifest.csv"), "--kind", "stt", "--language", "hi")
    made.add("golden", GOLDEN)
    return made


@pytest.fixture(scope="module")
def heard(spoken: Commands) -> Commands:
    """The same home, with a run that is done."""
    write_spoken_run(spoken.home, "heard")
    return spoken


@pytest.mark.parametrize("problem", BAD_CONFIGS)
def test_a_configuration_that_cannot_be_meant_is_refused(spoken: Commands, problem: str) -> None:
    content, code = BAD_CONFIGS[problem]
    config = spoken.folder / "config.yaml"
    config.write_text(content, encoding="utf-8")

    assert refusal(spoken, "stt", "--dataset", "clips", "--config", str(config)) == code


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--model", "gemini-2.5-flash"), "invalid_config"),
        (("--dataset", "clips"), "invalid_config"),
        (("--dataset", "clips", "--model", ""), "invalid_config"),
        (("--dataset", "clips", "--model", "x" * 1_000), "invalid_config"),
        ((*RUN, "--model", "gemini/gemini-2.5-flash"), "invalid_config"),
        (("--dataset", "nowhere", "--model", "gemini-2.5-flash"), "dataset_not_found"),
        (("--dataset", "clips@00000000", "--model", "gemini-2.5-flash"), "dataset_not_found"),
        (("--dataset", "golden", "--model", "gemini-2.5-flash"), "config_type_unsupported"),
        (("--dataset", "clips", "--model", "whisper-1"), "config_type_unsupported"),
        ((*RUN, "--language", "hindi"), "unknown_language"),
        ((*RUN, "--prompt", " "), "invalid_config"),
        ((*RUN, "--prompt", ""), "invalid_config"),
        ((*RUN, "--audio-transport", "signed_url"), "no_signed_urls"),
        ((*RUN, "--speaker-column", "nobody"), "unknown_speaker_column"),
        ((*RUN, "--concurrency", "0"), "invalid_config"),
        ((*RUN, "--failure-threshold", "nan"), "invalid_config"),
        ((*RUN, "--config", "nowhere.yaml"), "invalid_config"),
        ((*RUN, "--project", "../other"), "invalid_project"),
        ((*RUN, "--project", "other"), "dataset_not_found"),
    ],
)
def test_a_run_that_cannot_be_meant_is_refused(spoken: Commands, arguments: tuple[str, ...], code: str) -> None:
    assert refusal(spoken, "stt", *arguments) == code


@pytest.mark.parametrize("name", ["a/b", "..", "-a", "x" * 10_000, "", "नाम"])
def test_a_run_name_that_could_lead_elsewhere_is_refused(spoken: Commands, name: str) -> None:
    ended = spoken("stt", "run", *RUN, "--json", "--", name)

    assert (ended.code, ended.error_code) == (1, "invalid_run_name")


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [(RUN, "GEMINI_API_KEY"), (LIVE, "OPENAI_API_KEY"), ((*RUN, "--model", "whisper-1"), "OPENAI_API_KEY")],
)
def test_every_provider_that_is_asked_needs_its_key(
    spoken: Commands, arguments: tuple[str, ...], variable: str
) -> None:
    ended = spoken("stt", "run", "never", *arguments, "--json", **{variable: ""})

    assert (ended.code, ended.error_code) == (1, "missing_api_key")
    assert variable in ended.document["error"]["message"]


def test_a_provider_that_is_not_asked_needs_none(spoken: Commands) -> None:
    """The name is claimed and left to a daemon, so nothing is sent."""
    named = spoken.json("stt", "run", "without-openai", *RUN, "--no-wait", OPENAI_API_KEY="")
    spoken.json("run", "cancel", "without-openai")

    assert named["run"] == "without-openai"


def test_an_estimate_needs_no_key_and_claims_no_name(spoken: Commands) -> None:
    keyless = {"GEMINI_API_KEY": "", "OPENAI_API_KEY": ""}

    estimate = spoken.json("stt", "run", "maybe", *RUN, "--model", "whisper-1", "--estimate", **keyless)["estimate"]

    assert estimate["items"] == 4
    assert estimate["stages"]["gemini-2.5-flash"]["cost_usd"] > 0
    assert estimate["stages"]["whisper-1"]["cost_usd"] is None
    assert estimate["total_cost_usd"] is None, "a part that is not known makes no sum"
    assert any("whisper-1" in assumption for assumption in estimate["assumptions"])
    assert spoken("run", "status", "maybe", "--json").error_code == "run_not_found"


def test_an_estimate_is_of_the_audio_that_there_is(spoken: Commands) -> None:
    [cost] = spoken.json("stt", "run", "maybe", *RUN, "--estimate")["estimate"]["stages"].values()
    [live] = spoken.json("stt", "run", "maybe", *RUN, "--mode", "live", "--estimate")["estimate"]["stages"].values()

    assert cost["audio_input_tokens" if "audio_input_tokens" in cost else "input_tokens"] >= 3 * 32
    assert live["cost_usd"] == pytest.approx(2 * cost["cost_usd"])


def test_options_win_over_the_file(spoken: Commands) -> None:
    config = spoken.folder / "run.yaml"
    config.write_text("dataset: nowhere\nmodels: [whisper-1, gemini-2.5-pro]\nmode: live\n", encoding="utf-8")

    estimate = spoken.json("stt", "run", "maybe", *RUN, "--config", str(config), "--estimate")["estimate"]

    assert list(estimate["stages"]) == ["gemini-2.5-flash"]


def test_a_run_that_does_not_exist_is_not_shown_nor_scored(spoken: Commands) -> None:
    for verb in ("show", "rescore"):
        ended = spoken("stt", verb, "nobody", "--json")
        assert (ended.code, ended.error_code) == (1, "run_not_found")


def test_a_run_is_shown_as_json_in_full(heard: Commands) -> None:
    shown = heard.json("stt", "show", "heard", "--detail")

    assert (shown["run"], shown["mode"], shown["models"]) == ("heard", "batch", list(MODELS))
    assert shown["dataset"]["total_items_count"] == 4
    assert shown["counts"] | {"by_status": None} == {
        "total": 4,
        "ok": 3,
        "failed": 1,
        "by_status": None,
        "unfinished": 0,
    }
    assert [model["model"] for model in shown["figures"]] == list(MODELS)
    results = {(one["file_name"], one["model"]): one for one in shown["results"]}
    assert len(results) == 4
    refused = results["2.wav", MODELS[1]]
    assert refused["error"]["code"] == "safety"
    assert (refused["transcript"], refused["scores"]["standard"]["unscored_reason"]) == (None, "failed")
    assert results["1.wav", MODELS[1]]["scores"]["standard"]["wer"] == 0.5
    assert "results" not in heard.json("stt", "show", "heard")


def test_a_run_is_shown_to_a_person(heard: Commands) -> None:
    brief, full = heard("stt", "show", "heard"), heard("stt", "show", "heard", "--detail")

    assert (brief.code, full.code) == (0, 0)
    assert "transcripts 3 completed, 1 failed (1 refused)" in brief.out
    assert "2/2" in brief.out
    assert "1/2" in brief.out
    assert "WER 50.0 %" in full.out or "WER 50.0%" in full.out
    assert "safety: the model stopped (SAFETY)" in full.out
    assert full.out.startswith(brief.out.partition("\ncost")[0])


def test_a_run_that_has_nothing_yet_is_shown_as_such(spoken: Commands) -> None:
    spoken.json("stt", "run", "early", *RUN, "--no-wait")

    shown = spoken.json("stt", "show", "early", "--detail")

    assert shown["counts"] == {"total": 2, "ok": 0, "failed": 0, "unfinished": 2}
    assert (shown["figures"], shown["results"], shown["cost"]) == ([], [], None)
    assert "2 not finished" in spoken("stt", "show", "early").out
    assert spoken("stt", "rescore", "early", "--json").code == 1


def test_run_status_finds_speech_runs_too(heard: Commands) -> None:
    assert heard.json("run", "status", "heard")["run"] == "heard"


def test_a_run_that_is_not_finished_tells_what_was_heard_and_paid_so_far(spoken: Commands) -> None:
    begin_spoken_run(spoken.home, "stopped")

    shown = spoken.json("stt", "show", "stopped")

    assert shown["counts"] == {"total": 4, "ok": 3, "failed": 0, "unfinished": 1}
    assert {model: facts["ok"] for model, facts in shown["by_model"].items()} == dict(zip(MODELS, (2, 1), strict=True))
    flash, whisper = (shown["cost"][model] for model in MODELS)
    assert (flash["input_tokens"], whisper["input_tokens"]) == (200, 100)
    assert flash["cost_usd"] > 0
    assert "transcripts 3 completed, 0 failed, 1 not finished" in spoken("stt", "show", "stopped").out
