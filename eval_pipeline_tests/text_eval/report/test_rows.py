"""What the walk over the stages keeps."""

import pytest

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.text_eval.report.failures import NOT_SCORED
from eval_pipeline.text_eval.report.rows import collect_report
from eval_pipeline_tests.text_eval.report.report_samples import COST, NOW, Given, report, run_record, stages


def _scored(value: float | None, **others: str | None) -> Given:
    return Given(scores={"cosine_similarity": value}, **others)  # type: ignore[arg-type] # any field


def _failed(code: str, message: str, *, status: str = "failed") -> Given:
    return _scored(None, status=status, code=code, message=message)


def test_the_worst_rows_come_first_and_equal_ones_keep_their_order() -> None:
    data = report([_scored(value) for value in (0.9, 0.1, 0.5, 0.1, 0.7)], worst_rows=3)

    assert [row.item_id for row in data.rows] == ["q000002#1", "q000004#1", "q000003#1"]


def test_items_without_a_score_stand_last_and_only_where_there_is_room() -> None:
    items = [_failed("x", "y"), _scored(0.9), _scored(0.2)]

    assert [row.status for row in report(items).rows] == ["ok", "ok", "failed"]
    assert [row.status for row in report(items, worst_rows=2).rows] == ["ok", "ok"]


def test_the_first_scorer_decides_what_is_worst() -> None:
    items = [Given(scores={"numeric": 0.0, "token_f1": 0.9}), Given(scores={"numeric": 1.0, "token_f1": 0.1})]

    assert [row.question_id for row in report(items).rows] == ["q000001", "q000002"]


def test_no_rows_may_be_kept() -> None:
    assert report([_scored(0.5)], worst_rows=0).rows == ()


def test_failures_are_grouped_counted_and_keep_the_providers_words() -> None:
    items = [_failed("rate_limit", f"try again in {n} s") for n in range(5)]
    items += [_failed("refusal", "no", status="refused")] * 7
    groups = report([*items, _scored(0.5)]).failures

    assert [(group.status, group.code, group.count) for group in groups] == [
        ("refused", "refusal", 7),
        ("failed", "rate_limit", 5),
    ]
    assert [example.message for example in groups[0].examples] == ["no"]
    assert [example.message for example in groups[1].examples] == [f"try again in {n} s" for n in range(3)]


def test_answered_items_that_could_not_be_scored_are_a_group_of_their_own() -> None:
    (group,) = report([_scored(None, reason="embedding_failed", comment="zero vector"), _scored(0.5)]).failures

    assert (group.status, group.code, group.count) == (NOT_SCORED, "embedding_failed", 1)
    assert group.examples[0].message == "zero vector"


def test_kinds_of_failure_are_bounded_and_none_is_lost() -> None:
    groups = report([_failed(f"code-{n}", "m") for n in range(100)]).failures

    assert sum(group.count for group in groups) == 100
    assert len(groups) == 61
    assert groups[0].status is None


def test_huge_texts_are_clipped() -> None:
    (row,) = report([_scored(0.1, answer="x" * 1_000_000)]).rows

    assert row.answer is not None
    assert len(row.answer) < 21_000
    assert "1,000,000 characters in all" in row.answer


def test_items_questions_statuses_and_models_are_counted() -> None:
    items = [_scored(0.5), _scored(0.6, model="other"), _failed("x", "y"), _scored(0.5)]
    counts = report(items, repeats=2).counts

    assert (counts.items, counts.questions, counts.repeats, counts.answered) == (4, 2, 2, 3)
    assert counts.models == {"gpt-4o-mini-2024-07-18": 2, "other": 1}


def test_consistency_tells_the_same_from_the_varied_and_the_uncomparable() -> None:
    values = (0.5, 0.5, 0.1, 0.9, 0.4, 0.6, 0.5, None)
    consistency = report([_scored(value) for value in values], repeats=2).consistency

    assert consistency is not None
    assert (consistency.compared, consistency.same) == (3, 1)
    assert [len(question.answers) for question in consistency.least] == [2, 2]
    assert [question.answers[0].question_id for question in consistency.least] == ["q000002", "q000003"]


def test_questions_asked_once_have_no_consistency() -> None:
    assert report([_scored(0.5)]).consistency is None


def test_a_run_without_scores_keeps_the_first_items() -> None:
    data = report([_scored(0.5)] * 3, scored=False, worst_rows=2)

    assert [row.item_id for row in data.rows] == ["q000001#1", "q000002#1"]
    assert data.headline is None


def test_stages_of_different_datasets_are_refused() -> None:
    dataset, _, scores = stages([_scored(0.5)], [("q000001", 1)])
    _, responses, _ = stages([_scored(0.5)], [("q000009", 1)])

    with pytest.raises(ConflictError, match="q000009#1"):
        collect_report(
            run_record(),
            dataset=dataset,
            responses=responses,
            scores=scores,
            summary=None,
            cost=COST,
            threshold=Threshold(0.5, failed=0, total=1),
            written_at=NOW,
        )


def test_every_stage_is_named_with_its_manifest() -> None:
    facts = report([_scored(0.5)]).stages

    assert [fact.stage for fact in facts] == ["dataset", "responses", "scores"]
    assert all(len(fact.sha256) == 64 for fact in facts)
