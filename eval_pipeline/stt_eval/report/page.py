"""The report of a speech run: a page to listen and decide by, its rows as CSV and JSON, and Markdown for metadata.

The samples go by once: every result is a line of the tables, and the worst samples are kept for the page.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.endpoints import read_endpoints
from eval_pipeline.reporting.answered_by import AnsweredBy
from eval_pipeline.reporting.export_columns import ExportTable
from eval_pipeline.reporting.export_files import ExportFormat, write_table
from eval_pipeline.reporting.markdown import code_span, image_markdown, table_markdown
from eval_pipeline.reporting.page import write_page
from eval_pipeline.statistics.resampling import RESAMPLES
from eval_pipeline.stt_eval.language.normalisation import Level
from eval_pipeline.stt_eval.report import tables as report_tables
from eval_pipeline.stt_eval.report import words as report_words
from eval_pipeline.stt_eval.report.as_json import ResultLines, open_results
from eval_pipeline.stt_eval.report.audio import AUDIO_FOLDER, AudioSource, ClipLimits, ClipPlace, Clips, plan_clips
from eval_pipeline.stt_eval.report.data import SpeechReportData
from eval_pipeline.stt_eval.report.examples import Examples
from eval_pipeline.stt_eval.report.export import export_row, export_table
from eval_pipeline.stt_eval.report.failures import Failures
from eval_pipeline.stt_eval.report.samples import WorstSamples, view_samples
from eval_pipeline.stt_eval.scoring.scores import ScoredSample

PAGE_FILE: Final = "report.html"
JSON_FILE: Final = "report.json"
CSV_FILE: Final = "report.csv"
SHOWN_CONFUSIONS: Final = 10
"""Of each kind and model, on the page; the JSON has more."""
_MODEL_COLUMNS: Final = 4
"""With more models, the table of samples has one column for the worst rate alone."""
_SHOWN_PAIRS: Final = 10
_SENTENCE_CHARACTERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class PageLimits:
    """What a browser can bear: the files beside the page have every sample."""

    samples: int = 1_000
    """Chromium opens so many with three models each in 3.5 s and sorts them in 0.6 s, on two busy cores."""
    clips: ClipLimits = field(default_factory=ClipLimits)


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """What was written, all of it in one folder."""

    folder: Path
    clips: tuple[Path, ...]
    """The sounds that the page links to."""
    shown_samples: int
    samples: int

    @property
    def page(self) -> Path:
        """The page for people."""
        return self.folder / PAGE_FILE

    def named(self) -> Iterator[tuple[str, Path]]:
        """Give every file with the name under which the page finds it."""
        for path in (self.page, self.folder / JSON_FILE, self.folder / CSV_FILE):
            yield path.name, path
        for path in self.clips:
            yield f"{AUDIO_FOLDER}/{path.name}", path


class _Seen:
    """What one pass over the samples leaves for the page."""

    def __init__(self, *, metric: str, limit: int) -> None:
        self.worst = WorstSamples(metric=metric, limit=limit)
        self.examples = Examples()
        self.failures = Failures()

    def see(self, scored: ScoredSample) -> None:
        self.worst.see(scored)
        self.examples.see(scored)
        for heard in scored.transcripts:
            self.failures.see(heard)


def write_report(
    data: SpeechReportData,
    samples: Iterable[ScoredSample],
    *,
    audio: AudioSource,
    folder: Path,
    limits: PageLimits | None = None,
) -> ReportFiles:
    """Write the report into an empty folder.

    Args:
        data: of the run as a whole.
        samples: all of them, scored, in the order of the dataset; gone through once.
        audio: gives the clips by their key, as an object store does.
        folder: where to.
        limits: of the page; the usual ones unless told otherwise.
    """
    limits = limits or PageLimits()
    seen = _Seen(metric=data.metric, limit=limits.samples)
    with open_results(folder / JSON_FILE, data) as results:
        table = export_table(data.metadata_keys)
        rows = _rows(data, samples, table=table, seen=seen, results=results)
        write_table(rows, table.schema, path=folder / CSV_FILE, file_format=ExportFormat.CSV, bom=True)
    shown = seen.worst.result()
    places = plan_clips((scored.sample for scored in shown), limits.clips)
    clips = Clips(audio, places, folder=folder)
    _write_html(data, folder / PAGE_FILE, seen=seen, shown=shown, places=list(places.values()), clips=clips)
    return ReportFiles(folder, clips=tuple(clips.files), shown_samples=len(shown), samples=seen.worst.seen)


def _rows(
    data: SpeechReportData, samples: Iterable[ScoredSample], *, table: ExportTable, seen: _Seen, results: ResultLines
) -> Iterator[JsonDict]:
    """Give the lines of the CSV; each sample and line is shown to everything else on its way."""
    asked = AnsweredBy(read_endpoints(data.run.spec))
    for scored in samples:
        seen.see(scored)
        for number, heard in enumerate(scored.transcripts):
            levels = scored.rows[number * len(Level) : (number + 1) * len(Level)]
            verdict = data.verdicts.get(heard["item_id"])
            row = export_row(table, scored.sample, heard, levels, verdict=verdict, asked=asked)
            results.add(row)
            yield row


def _write_html(
    data: SpeechReportData,
    path: Path,
    *,
    seen: _Seen,
    shown: list[ScoredSample],
    places: list[ClipPlace],
    clips: Clips,
) -> None:
    by_model = len(data.models) <= _MODEL_COLUMNS
    write_page(
        path,
        "stt_eval/report/page.html",
        style="stt_eval/report/page.css",
        script="stt_eval/report/page.js",
        title=f"{data.run.key.partition} · speech evaluation",
        data=data,
        run=data.run,
        spec=data.spec,
        samples=view_samples(shown, metric=data.metric, clips=clips, verdicts=data.verdicts),
        shown_samples=len(shown),
        all_samples=seen.worst.seen,
        languages=_languages(shown),
        flags=sorted({flag for model in data.models for flag in model["flags"]}),
        places={place: places.count(place) for place in ClipPlace},
        column_models=[model["model"] for model in data.models] if by_model else [],
        examples=seen.examples.result(),
        failures=seen.failures.result(),
        words=report_words,
        tables=report_tables,
        levels=list(Level),
        resamples=RESAMPLES,
        shown_confusions=SHOWN_CONFUSIONS,
        shown_pairs=_SHOWN_PAIRS,
    )


def _languages(shown: Iterable[ScoredSample]) -> list[str]:
    return sorted({scored.language for scored in shown if scored.language is not None})


def render_markdown(data: SpeechReportData) -> str:
    """Return the run in a few lines of Markdown: which model to use, how sure that is, what it costs."""
    parts = [f"**{banner.title}.** {banner.text}" for banner in report_words.banners(data)]
    parts.append(f"**{code_span(report_words.headline(data), limit=_SENTENCE_CHARACTERS)}**")
    if told := report_words.beside_the_headline(data):
        parts.append("\n".join(f"- {code_span(note, limit=_SENTENCE_CHARACTERS)}" for note in told))
    parts.append(table_markdown(report_tables.accuracy_table(data)))
    pairs = data.figures["pairs"]
    if pairs:
        parts.append(
            "\n".join(f"- {code_span(pair['sentence'], limit=_SENTENCE_CHARACTERS)}" for pair in pairs[:_SHOWN_PAIRS])
        )
    if len(pairs) > _SHOWN_PAIRS:
        parts.append(f"… and {counted(len(pairs) - _SHOWN_PAIRS, 'more pair')}, in the report.")
    if plot := plot_markdown(data):
        parts.append(plot)
    parts.append(table_markdown(report_tables.cost_table(data)))
    return "\n\n".join(parts) + "\n"


def plot_markdown(data: SpeechReportData) -> str:
    """Return the rates of all models as an image inside Markdown; empty where there is none."""
    plot = report_tables.rates_plot(data)
    return image_markdown(plot, alternative="Error rates of the models with their intervals") if plot else ""
