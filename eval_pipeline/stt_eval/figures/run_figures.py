"""All figures of a run in one pass over its scored samples: rates and tests, errors by word, flags, speed and money."""

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.statistics import percentile
from eval_pipeline.stt_eval.figures.columns import Columns
from eval_pipeline.stt_eval.figures.confusions import Confusions
from eval_pipeline.stt_eval.figures.error_places import ErrorLog
from eval_pipeline.stt_eval.figures.pooled_rates import METHOD
from eval_pipeline.stt_eval.figures.summary import Summariser, headline_metric
from eval_pipeline.stt_eval.language.languages import unsegmented
from eval_pipeline.stt_eval.language.normalisation import NORMALISER_VERSIONS, Level
from eval_pipeline.stt_eval.scoring.edits import Edit
from eval_pipeline.stt_eval.scoring.scores import DAMAGED, NOT_UNDERSTOOD, ScoredSample
from eval_pipeline.stt_eval.scoring.scoring import HEADLINE, HeardText, ReferenceForm
from eval_pipeline.stt_eval.transcript_rows import COMPLETED

SHOWN_CONFUSIONS = 20
_SECONDS_AN_HOUR = 3_600


@dataclass(slots=True)
class _ModelFacts:
    """What is counted of one model besides its edits."""

    log: ErrorLog = field(default_factory=ErrorLog)
    confusions: Confusions = field(default_factory=Confusions)
    outcomes: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    latencies_s: "array[float]" = field(default_factory=lambda: array("d"))
    usd: Decimal = Decimal(0)
    unpriced: int = 0
    heard_s: float = 0.0
    """Audio of completed items whose duration and price are known,"""
    heard_usd: Decimal = Decimal(0)
    """and what they cost."""


class RunFigures:
    """Takes in scored samples and gives the run's figures.

    Args:
        models: labels in the order of the run.
        run: names the seeds of every resampling, with the dataset's version: the same run has the same intervals.
        speaker_column: of the metadata, which names who speaks; None: every sample stands for itself.
    """

    def __init__(self, models: Sequence[str], *, run: Sequence[str], speaker_column: str | None = None) -> None:
        self._columns = Columns(models, speaker_column=speaker_column)
        self._facts = {model: _ModelFacts() for model in models}
        self._run = tuple(run)
        self._samples = 0
        self._silent = 0
        self._not_understood = 0
        self._damaged = 0
        self._audio_s = 0.0
        self._unmeasured = 0

    def add(self, scored: ScoredSample) -> None:
        """Take in the next sample."""
        self._samples += 1
        duration_s = scored.sample["duration_s"]
        self._audio_s += duration_s or 0.0
        self._unmeasured += duration_s is None
        self._columns.add(scored)
        if scored.forms is None and scored.rows:
            self._damaged += scored.rows[0]["unscored_reason"] == DAMAGED
            self._not_understood += scored.rows[0]["unscored_reason"] == NOT_UNDERSTOOD
        if scored.forms is not None:
            self._silent += not scored.forms[HEADLINE].words
        for position, row in enumerate(scored.transcripts):
            facts = self._facts[row["model"]]
            _note(facts, row, flags=scored.rows[position * len(Level)]["flags"], duration_s=duration_s)
            if scored.forms is not None:
                _align(facts, scored.forms[HEADLINE], scored.heard[position], language=scored.language)

    def as_json(self) -> JsonDict:
        """Return the figures that the stage's manifest keeps."""
        metric = headline_metric(self._columns.character_languages.total(), self._columns.labelled)
        places = {model: facts.log.places() for model, facts in self._facts.items()}
        summariser = Summariser(self._columns, places, metric=metric, seed_of=self._run)
        pairs, best = summariser.pairs()
        return {
            "samples": {
                "total": self._samples,
                "labelled": self._columns.labelled,
                "unlabelled": self._samples - self._columns.labelled - self._not_understood - self._damaged,
                "not_understood": self._not_understood,
                "damaged": self._damaged,
                "silent": self._silent,
                "audio_s": self._audio_s,
                "without_duration": self._unmeasured,
            },
            "method": METHOD,
            "speakers": self._speakers(),
            "metric": metric,
            "level": str(HEADLINE),
            "normalisers": {str(level): version for level, version in NORMALISER_VERSIONS.items()},
            "models": [{**rates, **self._told(rates["model"])} for rates in summariser.models()],
            "slices": summariser.slices(),
            "pairs": pairs,
            "best": best,
        }

    def _speakers(self) -> JsonDict | None:
        speakers = self._columns.speakers
        return None if speakers.column is None else {"column": speakers.column, "count": speakers.count}

    def _told(self, model: str) -> JsonDict:
        facts = self._facts[model]
        usd = None if facts.unpriced else float(facts.usd)
        hours = facts.heard_s / _SECONDS_AN_HOUR
        return {
            "outcomes": dict(sorted(facts.outcomes.items())),
            "flags": dict(sorted(facts.flags.items())),
            "latency_s": _percentiles(facts.latencies_s),
            "cost_usd": usd,
            "cost_usd_per_audio_hour": float(facts.heard_usd) / hours if hours and usd is not None else None,
            "confusions": {str(edit): _most_frequent(facts.confusions, edit) for edit in Edit if edit is not Edit.HIT},
        }


def _align(
    facts: _ModelFacts, form: ReferenceForm, heard: Mapping[Level, HeardText] | None, *, language: str | None
) -> None:
    """Note where a model erred; where a text shows no words, its letters are what is confused."""
    if heard is None:
        facts.log.add(None)
    elif unsegmented(language):
        facts.log.add(None)
        facts.confusions.add(form.align_characters(heard[HEADLINE]))
    else:
        alignment = form.align_words(heard[HEADLINE])
        facts.log.add(alignment)
        facts.confusions.add(alignment)


def _note(facts: _ModelFacts, row: Row, *, flags: Sequence[str], duration_s: float | None) -> None:
    facts.outcomes[row["outcome"]] += 1
    facts.flags.update(flags)
    if row["latency_s"] is not None:
        facts.latencies_s.append(row["latency_s"])
    cost = row["cost_usd"]
    if cost is None:
        facts.unpriced += 1
        return
    facts.usd += cost
    if row["status"] == COMPLETED and duration_s is not None:
        facts.heard_s += duration_s
        facts.heard_usd += cost


def _percentiles(latencies_s: Sequence[float]) -> dict[str, float | None] | None:
    if not latencies_s:
        return None
    return {name: percentile(latencies_s, percent) for name, percent in (("p50", 50), ("p95", 95), ("max", 100))}


def _most_frequent(confusions: Confusions, edit: Edit) -> list[JsonDict]:
    return [
        {"reference": one.reference, "hypothesis": one.hypothesis, "count": one.count}
        for one in confusions.most_frequent(edit, limit=SHOWN_CONFUSIONS)
    ]
