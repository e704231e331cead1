"""The report of a run of sessions: a page with the worst ones, their verdicts and quotes; with it the run ends."""

from datetime import UTC, datetime
from typing import Final

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.reporting.provenance import StageFact
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.life import end_run
from eval_pipeline.runs.stored_run import check_made_from
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval.report.collect import Source, collect_report
from eval_pipeline.session_eval.report.data import SessionReportData
from eval_pipeline.session_eval.report.page import render_html, render_markdown
from eval_pipeline.session_eval.report.words import area_sentence, headline, trust_sentence
from eval_pipeline.session_eval.shown_sessions import ShownContents, weeks_until
from eval_pipeline.session_eval.spec import SessionSpec
from eval_pipeline.session_eval.stages.agreement import make as make_agreement
from eval_pipeline.session_eval.stages.session_scores import make as make_scores

REPORT_FILE: Final = "report.html"
_SCORE_COLUMNS: Final = (
    "session_id",
    "session_fingerprint",
    "profile_id",
    "name",
    "last_active",
    "status",
    "mean",
    "complexity",
    "axes",
    "cost_usd",
    "likes",
    "dislikes",
    "outcome",
)
_JUDGEMENT_COLUMNS: Final = (
    "session_id",
    "expert_id",
    "sample",
    "variant",
    "status",
    "error_code",
    "error_message",
    "model_returned",
    "axes",
    "user_goal",
    "outcome_summary",
    "rendering",
    "hits",
    "taken_from_run",
)


def make(
    task: Task,
    *,
    sessions: StageReader,
    judgements: StageReader,
    session_scores: StageReader | None,
    agreement: StageReader | None,
) -> StageReader:
    """Write the report, and with it end the run: completed, or failed when the threshold was missed."""
    if session_scores is None:
        session_scores = make_scores(task, sessions=sessions, judgements=judgements)
    if agreement is None:
        agreement = make_agreement(task, sessions=sessions, judgements=judgements, session_scores=session_scores)
    written = write_report(
        task, sessions=sessions, judgements=judgements, session_scores=session_scores, agreement=agreement
    )
    end_run(task, PaidSummary.of(judgements.manifest).threshold)
    return written


def write_report(
    task: Task,
    *,
    sessions: StageReader,
    judgements: StageReader,
    session_scores: StageReader,
    agreement: StageReader,
) -> StageReader:
    """Write the report of what there is; a missed threshold is marked in it."""
    check_made_from(session_scores, judgements)
    check_made_from(agreement, session_scores)
    deployment, ref = task.deployment, task.ref("report")
    made_from = {
        "sessions": sessions,
        "judgements": judgements,
        "session_scores": session_scores,
        "agreement": agreement,
    }
    with at_work(deployment, ref, schema=None, inputs=made_from, dagster_run_id=task.dagster_run_id) as stage:
        data = _collect(task, stage.run, judgements=judgements, scores=session_scores, agreement=agreement)
        key = stage.files.add_file(REPORT_FILE, render_html(data).encode())
        stage.files.finish({"url": deployment.objects.url(key), **_summary(data)})
    return deployment.stages.open(ref)


def _summary(data: SessionReportData) -> JsonDict:
    trust = trust_sentence(data)
    return {
        "markdown": render_markdown(data),
        "result": headline(data),
        "trust": {"kind": trust.kind, "title": trust.title, "text": trust.text},
        "calibration": [area_sentence(one) for one in data.predicted],
        "breached": data.threshold.breached,
        "threshold": data.threshold.to_json(),
        "cost": data.cost.to_json(),
    }


def _collect(
    task: Task, run: RunRecord, *, judgements: StageReader, scores: StageReader, agreement: StageReader
) -> SessionReportData:
    deployment, project = task.deployment, task.key.project
    spec = SessionSpec.from_json(run.spec)
    paid = PaidSummary.of(judgements.manifest)
    contents = ShownContents(deployment, project)
    return collect_report(
        Source(
            run=run,
            panel=spec.judges.panel,
            scores=scores.rows(list(_SCORE_COLUMNS)),
            judgements=judgements.rows(list(_JUDGEMENT_COLUMNS)),
            agreement=agreement.manifest.summary["agreement"],
            transcripts=contents.transcript,
            weekly=weeks_until(deployment, project, spec.instrument, rows=scores.rows(["last_active"])),
            zone=deployment.settings.time_zone,
            cost=Costs.join({"judgements": paid.cost}),
            threshold=paid.threshold,
            stages=[StageFact.of(stage.manifest) for stage in (judgements, scores, agreement)],
            written_at=datetime.now(UTC),
        )
    )
