"""The report of a run of sessions: a page for people who know the subject, and a short Markdown for metadata."""

from typing import Final

from eval_pipeline.core.counting import counted
from eval_pipeline.judging.prompt import instructions
from eval_pipeline.reporting.markdown import code_span, image_markdown, table_markdown
from eval_pipeline.reporting.page import render_page
from eval_pipeline.reporting.provenance import provenance_table
from eval_pipeline.session_eval.report import tables, words
from eval_pipeline.session_eval.report.data import SessionReportData, ShownSession
from eval_pipeline.session_eval.report.transcript import ShownTranscript, quote_anchor, show_transcript

OPEN_SESSIONS: Final = 3
"""Worst sessions that are there at first; the others are one click away, and in print all are there."""
_SENTENCE_CHARACTERS: Final = 600


def render_html(data: SessionReportData) -> str:
    """Return one self-contained HTML file, without a single request."""
    return render_page(
        "session_eval/report/page.html",
        style="session_eval/report/page.css",
        title=f"{data.run.key.partition} · session evaluation",
        data=data,
        run=data.run,
        panel=data.panel,
        counts=data.counts,
        trust=words.trust_sentence(data),
        findings=words.trust(data),
        open_sessions=OPEN_SESSIONS,
        words=words,
        tables=tables,
        transcript_of=_transcript,
        quote_anchor=quote_anchor,
        instructions=instructions(data.panel.rubric),
        provenance=provenance_table(
            data.run,
            data.stages,
            written_at=data.written_at,
            settings=[("Panel (sha256)", data.panel.fingerprint), ("Rubric", data.panel.rubric.version)],
        ),
    )


def _transcript(session: ShownSession) -> ShownTranscript | None:
    """Return the messages of a session; every quote is marked with who gives it for what."""
    experts = {
        quote.number: f"{verdict.expert_id} on {words.axis_words(verdict.axis).title}: {words.verdict_words(verdict)}"
        for verdict in session.verdicts
        for quote in verdict.quotes
    }
    return show_transcript(session, experts=experts)


def render_markdown(data: SessionReportData) -> str:
    """Return the run in a few lines of Markdown: the result, how far it is to be believed, marks, cost."""
    trust = words.trust_sentence(data)
    parts = [f"**{banner.title}.** {banner.text}" for banner in words.banners(data)]
    parts.append(f"**{words.headline(data)}** {words.quality_sentence(data)}")
    parts.append(f"**{trust.title}.** {code_span(trust.text, limit=_SENTENCE_CHARACTERS)}")
    parts.append(table_markdown(tables.axes_table(data)))
    if plot := plot_markdown(data):
        parts.append(plot)
    if data.all_disputed:
        parts.append(f"Judges disagree on {counted(data.all_disputed, 'session')}.")
    parts.append(table_markdown(tables.cost_table(data)))
    return "\n\n".join(parts) + "\n"


def plot_markdown(data: SessionReportData) -> str:
    """Return the weekly line as an image inside Markdown; empty where there is none."""
    if not data.weeks:
        return ""
    return image_markdown(tables.weeks_plot(data.weeks, zone=data.zone), alternative="Average marks, week by week")
