"""What a speech run's numbers mean in plain English, for a reader who knows the languages and not the statistics."""

from collections.abc import Mapping, Sequence
from typing import Final

from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json, Row
from eval_pipeline.core.outcomes import ItemStatus
from eval_pipeline.core.runs import RunMode
from eval_pipeline.reporting.amounts import count, percent
from eval_pipeline.reporting.banners import Banner, endpoints_banner, run_banners
from eval_pipeline.reporting.provenance import answered_elsewhere
from eval_pipeline.stt_eval.figures.slices import UNKNOWN
from eval_pipeline.stt_eval.figures.summary import CER
from eval_pipeline.stt_eval.language.languages import language_name
from eval_pipeline.stt_eval.language.normalisation import Level
from eval_pipeline.stt_eval.report.data import SpeechReportData
from eval_pipeline.stt_eval.scoring.scoring import Flag

METRIC_NAMES: Final = {"WER": "word error rate", "CER": "character error rate"}
_UNITS = {"WER": "words", "CER": "characters"}
_FLAGS: Mapping[str, str] = {
    Flag.EMPTY: "heard nothing",
    Flag.TRUNCATED: "cut off",
    Flag.LOOP: "repeats itself",
    Flag.WRONG_SCRIPT: "wrong script",
    Flag.REFUSAL: "refused",
    Flag.DAMAGED: "damaged text",
    Flag.TIME_STAMPS: "holds time stamps",
    Flag.THINKING: "thought aloud",
    Flag.TRANSLATION: "may hold a translation",
    Flag.WRAPPED: "holds more than words",
}
_STATUSES: Mapping[str, str] = {
    ItemStatus.OK: "answered",
    ItemStatus.EMPTY: "heard nothing",
    ItemStatus.FAILED: "the request failed",
    ItemStatus.INCOMPLETE: "the answer was cut off",
    ItemStatus.REFUSED: "the model refused",
    ItemStatus.MISSING: "no usable answer came back",
}
_MODES = {RunMode.BATCH: "batch jobs at the provider", RunMode.FAST: "live requests"}
_LEVELS: Mapping[Level, str] = {
    Level.VERBATIM: "Compared exactly as written: capitals, punctuation and the spelling of numbers all count.",
    Level.STANDARD: (
        "The headline. Capitals, punctuation, invisible characters, markers such as [noise] and the script of digits do"
        " not count. Every letter and every vowel sign does."
    ),
    Level.LENIENT: (
        "As standard, and spellings that are the same word in the scripts of India count as equal, such as chandrabindu"
        " and anusvara or a nukta that was left out."
    ),
}


def banners(data: SpeechReportData) -> list[Banner]:
    """Say what keeps the run from being a result, or makes it another one."""
    kept_from = run_banners(
        data.run,
        data.threshold,
        noun="transcript",
        failures="{failed} of {total} failed ({share}); at most {allowed} may.",
        unsent="before every clip was sent",
    )
    return [*kept_from, *endpoints_banner(answered_elsewhere(data.run, data.stages)), *_corrected(data)]


def _corrected(data: SpeechReportData) -> list[Banner]:
    """Say that the references are those of another version than the run's own."""
    facts = data.figures.get("references")
    if not facts:
        return []
    kept = f"; {counted(facts['kept'], 'sample')} not in it with the run's own" if facts["kept"] else ""
    text = (
        f"Scored against the references of {facts['dataset']}, version {facts['version'][:12]}:"
        f" {count(facts['changed'])} differ from those of the run's own version{kept}."
    )
    return [Banner("warn", "Corrected references", text)]


def headline(data: SpeechReportData) -> str:
    """Answer which model to use in one sentence."""
    scored = [model for model in data.models if rate(model, data.metric)["value"] is not None]
    if not data.figures["samples"]["labelled"]:
        return "Nothing can be said of quality: no sample has a reference transcript"
    if not scored and not _on_silence(data):
        return "Nothing can be said of quality: no answer could be compared with words of a reference"
    if len(data.models) == 1:
        return plain_rate(data.models[0], metric=data.metric) if scored else invented(data.models[0])
    sentence = str(data.figures["best"]["sentence"])
    return sentence[:1].upper() + sentence[1:] if not data.figures["best"]["models"] else sentence


def _on_silence(data: SpeechReportData) -> bool:
    """Tell whether all that was answered is silence, so that only what was invented there can be told."""
    return bool(data.figures["samples"]["silent"]) and any(model["answered"] for model in data.models)


def invented(model: Json) -> str:
    """Say how much a model heard where nothing was said."""
    words = model["insertions_on_silence"]
    return (
        f"{model['model']}: {count(words) if words else 'no'} word{'' if words == 1 else 's'} invented where nothing is"
        f" said, {answered(model)}"
    )


def answered(model: Json) -> str:
    """Say how much of the samples a model answered."""
    return f"{count(model['answered'])} of {counted(model['labelled'], 'sample')} answered"


def plain_rates(data: SpeechReportData) -> list[str]:
    """Say in words what the rates of the best models mean; nothing where the headline says it."""
    best = set(data.figures["best"]["models"])
    if len(data.models) == 1:
        return []
    if all(rate(model, data.metric)["value"] is None for model in data.models) and _on_silence(data):
        return [invented(model) for model in data.models]
    return [
        plain_rate(model, metric=data.metric)
        for model in data.models
        if model["model"] in best and rate(model, data.metric)["value"] is not None
    ]


def plain_rate(model: Json, *, metric: str) -> str:
    """Say a rate and its interval so that it cannot be misread."""
    found = rate(model, metric)
    ends = interval_words(model, metric=metric)
    sure = f"; 95% interval {ends}" if ends else "; how far chance moved this cannot be told from a single sample"
    return (
        f"{model['model']}: {counted(found['edits'], 'error')} on {count(found['length'])} spoken {_UNITS[metric]}"
        f" ({share(found['value'])} {metric}{sure}), {answered(model)}"
    )


def rate(figures: Json, metric: str) -> Json:
    """Return the rate of a model or slice by the metric."""
    found: Json = figures["cer" if metric == CER else "wer"]
    return found


def share(value: float | None) -> str:
    """Write a rate as per cent, always with one decimal, so that rates can be compared at a glance.

    >>> share(0.14), share(0.00001)
    ('14.0%', '< 0.1%')
    """
    return "\u2013" if value is None else _one_decimal(percent(value))


def _one_decimal(shown: str) -> str:
    return shown if "." in shown else f"{shown.removesuffix('%')}.0%"


def interval(found: Json) -> str | None:
    """Write the ends of a rate's interval; what is beyond all reason as such.

    >>> interval({"low": 0.123, "high": 0.5}), interval({"low": 0.1, "high": 178.2})
    ('12.3% to 50.0%', '10.0% to over 1000%')
    """
    if found["low"] is None or found["high"] is None:
        return None
    low, high = (_one_decimal(percent(found[end], guarded=False)) for end in ("low", "high"))
    return f"{low} to {high if found['high'] <= _BEYOND_REASON else f'over {_BEYOND_REASON:.0%}'}"


def interval_words(model: Json, *, metric: str) -> str | None:
    """Write the ends of a model's headline, and whether they can be relied on."""
    ends, ran_away = interval(rate(model, metric)), model.get("runaways")
    return f"{ends}, not reliable" if ends and ran_away and not ran_away["interval_is_reliable"] else ends


def old_method(data: SpeechReportData) -> str | None:
    """Say of figures of an earlier version that scoring again makes better ones."""
    if data.method is not None:
        return None
    return (
        "These figures were made by an earlier version, whose intervals are too narrow with few samples and which did"
        f" not ask how much a model answered; “eval-pipeline stt rescore {data.run.key.run}” makes them anew, for free"
    )


def beside_the_headline(data: SpeechReportData) -> list[str]:
    """Say what the headline leaves out, sentence by sentence."""
    return [*data.notes, *filter(None, [old_method(data)])]


def rate_heading(data: SpeechReportData, slices: Sequence[Json]) -> str:
    """Head the column of rates: in a run of several writings not every sample has the same."""
    metrics = {slice_metric(row, data.metric) for row in slices if row["column"] == "language"} | {data.metric}
    name = data.metric if len(metrics) == 1 else "error rate"
    shown = name if len(data.models) == 1 else f"worst {name}"
    return shown[:1].upper() + shown[1:]


def slice_metric(row: Row, metric: str) -> str:
    """Return what measures a group of samples: languages without spaces have CER."""
    return str(row.get("metric") or metric)


def flag_words(flag: str) -> str:
    """Say what is odd about a transcript."""
    return _FLAGS.get(flag, flag.replace("_", " "))


def status_words(outcome: str | None) -> str:
    """Say what became of a request."""
    return "other kinds of failure" if outcome is None else _STATUSES.get(outcome, outcome)


def mode_words(mode: RunMode) -> str:
    """Say how the models were asked."""
    return _MODES[mode]


def level_words(level: Level) -> str:
    """Say what a level compares."""
    return _LEVELS[level]


def language_words(language: str | None) -> str:
    """Name a language with its code."""
    if language is None or language == UNKNOWN:
        return "language not known"
    name = language_name(language)
    return name if name == language or "-" in language else f"{name} ({language})"


def slice_words(column: str, value: str) -> str:
    """Name a group of samples."""
    return language_words(value) if column == "language" else value


def length_words(seconds: float | None) -> str:
    """Write how long a sound is.

    >>> length_words(3.21), length_words(75), length_words(7_200), length_words(None)
    ('3.2 s', '1 min 15 s', '2 h 0 min', 'length unknown')
    """
    if seconds is None:
        return "length unknown"
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min {rest} s"
    return f"{minutes // _MINUTE} h {minutes % _MINUTE} min"


_MINUTE: Final = 60
_BEYOND_REASON: Final = 10.0
"""An upper end above ten errors a word says that nothing is known."""
