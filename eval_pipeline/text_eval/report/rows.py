"""One walk over a run's stages that keeps what its report shows: worst rows, failure groups, unsteady questions.

Only a few hundred items are held at any time, however large the run is.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.documents import Row
from eval_pipeline.core.passages import Passage, read_passages
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.core.turns import read_turns
from eval_pipeline.reporting.provenance import StageFact
from eval_pipeline.reporting.text import clip
from eval_pipeline.text_eval.report.data import (
    Consistency,
    Counts,
    ItemScore,
    ReportData,
    ReportRow,
    UnstableQuestion,
)
from eval_pipeline.text_eval.report.failures import TEXT_CHARACTERS, Failures, clipped
from eval_pipeline.text_eval.report.own_columns import own_columns, own_id
from eval_pipeline.text_eval.scoring.side_by_side import WalkedItem, walk
from eval_pipeline.text_eval.scoring.summary import (
    BOOLEAN,
    QuestionScore,
    QuestionSummary,
    RunSummary,
    lead_score,
    middle_value,
)

WORST_ROWS = 200
_UNSTEADY_QUESTIONS = 10
_MIDDLE_ROWS = 2
_MODELS = 20
_PASSAGES = 10
_PASSAGE_CHARACTERS = 2_000
"""What a report keeps of one passage; an export has the whole."""
_SAME = 1e-9


def collect_report(
    run: RunRecord,
    *,
    dataset: StageReader,
    responses: StageReader,
    scores: StageReader | None,
    summary: RunSummary | None,
    cost: Costs,
    threshold: Threshold,
    written_at: datetime,
    questions: Iterable[QuestionSummary] = (),
    embeddings: StageReader | None = None,
    worst_rows: int = WORST_ROWS,
) -> ReportData:
    """Stream the stages once and keep what the report shows.

    ``questions`` are the summaries per question, for runs that ask each one several times. ``cost`` is what every stage
    cost. ``embeddings`` is only named in the provenance.
    """
    lead = lead_score(summary)
    headline = None if lead is None else lead.name
    steadiness = _Steadiness.of(questions, score_name=headline)
    worst, failures, counts = _WorstRows(worst_rows, score_name=headline), Failures(), _Counting()
    middle = _MiddleRows(headline, value=None if lead is None or lead.data_type == BOOLEAN else middle_value(lead))
    for item in walk(dataset, responses, scores):
        for collector in (worst, failures, counts, steadiness, middle):
            collector.see(item)
    stages = (dataset, responses, embeddings, scores)
    return ReportData(
        run=run,
        counts=counts.result(),
        summary=summary,
        rows=worst.result(),
        failures=failures.result(),
        consistency=steadiness.result() if counts.result().repeats > 1 else None,
        cost=cost,
        threshold=threshold,
        stages=[StageFact.of(stage.manifest) for stage in stages if stage is not None],
        written_at=written_at,
        middle=middle.result(),
        retrieval=responses.manifest.summary.get("retrieval"),
    )


def _value_of(item: WalkedItem, score_name: str | None) -> float | None:
    return next((row["value"] for row in item.scores if row["name"] == score_name), None)


class _MiddleRows:
    """The answers whose score is closest to a value, each of another question."""

    def __init__(self, score_name: str | None, *, value: float | None) -> None:
        self._score_name = score_name
        self._value = value
        self._closest: list[tuple[float, int, WalkedItem]] = []
        self._seen = 0

    def see(self, item: WalkedItem) -> None:
        found = None if self._value is None else _value_of(item, self._score_name)
        if found is None or self._value is None:
            return
        self._seen += 1
        mine = (abs(found - self._value), self._seen, item)
        for place, other in enumerate(self._closest):
            if other[2].asked["question_id"] == item.asked["question_id"]:
                self._closest[place] = min(mine, other, key=lambda entry: entry[:2])
                return
        self._closest = heapq.nsmallest(_MIDDLE_ROWS, [*self._closest, mine], key=lambda entry: entry[:2])

    def result(self) -> tuple[ReportRow, ...]:
        return tuple(_report_row(item) for _, _, item in self._closest)


class _WorstRows:
    """The items with the lowest headline scores; those without a score fill what room is left."""

    def __init__(self, limit: int, *, score_name: str | None) -> None:
        self._limit = limit
        self._score_name = score_name
        self._heap: list[tuple[tuple[bool, float, int], WalkedItem]] = []
        self._seen = 0

    def see(self, item: WalkedItem) -> None:
        value = _value_of(item, self._score_name)
        # the heap's root is the item to drop first: every part of the key is turned around
        key = (value is not None, -(value or 0.0), -self._seen)
        self._seen += 1
        if len(self._heap) < self._limit:
            heapq.heappush(self._heap, (key, item))
        elif self._heap and key > self._heap[0][0]:
            heapq.heapreplace(self._heap, (key, item))

    def result(self) -> tuple[ReportRow, ...]:
        return tuple(_report_row(item) for _, item in sorted(self._heap, key=lambda entry: entry[0], reverse=True))


def _report_row(item: WalkedItem) -> ReportRow:
    asked, response = item.asked, item.response
    named = own_id(asked["metadata"])
    passages = read_passages(_json_in(response, "passages"))
    return ReportRow(
        item_id=item.shown_id,
        question_id=asked["question_id"],
        repeat=asked["repeat"],
        category=asked["category"],
        question=clip(asked["question"], limit=TEXT_CHARACTERS),
        golden_answer=clip(asked["golden_answer"], limit=TEXT_CHARACTERS),
        status=response["status"],
        answer=clipped(response["answer"]),
        partial_answer=clipped(response["partial_answer"]),
        error=clipped(response["error_message"] or response["error_code"]),
        scores=tuple(_item_score(row) for row in item.scores),
        endpoint=response.get("endpoint"),
        thinking=clipped(response.get("thinking")),
        own_id=None if named == asked["question_id"].strip() else named,
        columns=own_columns(asked["metadata"]),
        alternatives=tuple(clip(text, limit=TEXT_CHARACTERS) for text in _json_in(asked, "golden_alternatives") or ()),
        turns=tuple(
            replace(turn, text=clip(turn.text, limit=TEXT_CHARACTERS)) for turn in read_turns(_json_in(asked, "turns"))
        ),
        passages=None if passages is None else tuple(map(_clipped_passage, passages[:_PASSAGES])),
        more_passages=max(0, len(passages or ()) - _PASSAGES),
    )


def _clipped_passage(passage: Passage) -> Passage:
    return replace(passage, text=clip(passage.text, limit=_PASSAGE_CHARACTERS))


def _json_in(row: Row, name: str) -> Any:  # noqa: ANN401 - JSON
    """Return what a column holds as JSON; None where it is empty, or an earlier version had no such column."""
    text = row.get(name)
    return None if text is None else orjson.loads(text)


def _item_score(row: Row) -> ItemScore:
    return ItemScore(
        name=row["name"],
        data_type=row["data_type"],
        value=row["value"],
        unscoreable_reason=row["unscoreable_reason"],
        comment=clipped(row["comment"]),
    )


class _Counting:
    """Items by status and model; questions are the items of the first repeat."""

    def __init__(self) -> None:
        self._statuses: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._repeats: Counter[int] = Counter()

    def see(self, item: WalkedItem) -> None:
        self._statuses[item.response["status"]] += 1
        self._repeats[item.asked["repeat"]] += 1
        model = item.response["model"]
        if model is not None and (model in self._models or len(self._models) < _MODELS):
            self._models[model] += 1

    def result(self) -> Counts:
        return Counts(
            items=self._statuses.total(),
            questions=max(self._repeats.values(), default=0),
            repeats=len(self._repeats),
            statuses=dict(self._statuses),
            models=dict(self._models.most_common()),
        )


@dataclass(slots=True)
class _Steadiness:
    """The questions that varied most are chosen from their summaries; the walk then brings their answers."""

    score_name: str
    compared: int = 0
    same: int = 0
    chosen: Mapping[str, QuestionScore] = field(default_factory=dict)
    rows: dict[str, list[ReportRow]] = field(default_factory=dict)

    @classmethod
    def of(cls, questions: Iterable[QuestionSummary], *, score_name: str | None) -> "_Steadiness":
        steadiness = cls(score_name=score_name or "")
        varied = heapq.nlargest(_UNSTEADY_QUESTIONS, steadiness._varied(questions), key=lambda entry: entry[1].std or 0)
        steadiness.chosen = dict(varied)
        return steadiness

    def _varied(self, questions: Iterable[QuestionSummary]) -> Iterator[tuple[str, QuestionScore]]:
        for question in questions:
            score = next((score for score in question.scores if score.name == self.score_name), None)
            if score is None or score.std is None or len(score.values) < 2:  # noqa: PLR2004 - nothing to compare
                continue
            self.compared += 1
            if score.std <= _SAME:
                self.same += 1
            else:
                yield question.question_id, score

    def see(self, item: WalkedItem) -> None:
        question_id = item.asked["question_id"]
        if question_id in self.chosen:
            self.rows.setdefault(question_id, []).append(_report_row(item))

    def result(self) -> Consistency:
        return Consistency(
            score_name=self.score_name,
            compared=self.compared,
            same=self.same,
            least=tuple(
                UnstableQuestion(score=score, answers=tuple(self.rows[question_id]))
                for question_id, score in self.chosen.items()
                if question_id in self.rows
            ),
        )
