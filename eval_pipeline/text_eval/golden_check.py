"""What the chosen scorers cannot do with the golden answers, told before anything is paid."""

from collections.abc import Iterable, Sequence
from itertools import islice

from eval_pipeline.core.counting import counted
from eval_pipeline.core.damaged_text import is_lost
from eval_pipeline.runs.claims import Prepared
from eval_pipeline.text_eval.golden.row import GoldenRow
from eval_pipeline.text_eval.golden_store import GoldenManifest, golden_rows, require_manifest
from eval_pipeline.text_eval.scoring.scorers import ScorerConfig, TextScorer
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring.deployment import Deployment

ROWS_LOOKED_AT = 20_000
"""Reading an answer takes some 0.2 ms; nobody waits minutes for a warning."""
_LINES_NAMED = 5


def golden_warnings(prepared: Prepared[TextSpec], *, deployment: Deployment) -> list[dict[str, str]]:
    """Return code, message and hint for golden answers that are damaged, and those that a scorer cannot read."""
    missing = _missing(prepared.spec.scorers, require_manifest(deployment.objects, prepared.dataset))
    checked = [scorer for scorer in prepared.spec.scorers if _reads_golden(scorer)]
    rows = list(islice(golden_rows(deployment.objects, prepared.dataset), ROWS_LOOKED_AT))
    lost = {row.line for row in rows if row.answer and all(map(is_lost, row.golden_answers))}
    whole = [row for row in rows if row.line not in lost]
    unreadable = (warning for scorer in checked for warning in _unreadable(scorer, whole))
    return [*missing, *_damaged(sorted(lost)), *unreadable]


def _damaged(lines: Sequence[int]) -> Iterable[dict[str, str]]:
    if lines:
        count = counted(len(lines), "golden answer", verb=("is", "are"))
        yield {
            "code": "golden_damaged",
            "message": f"{count} damaged or only a word for nothing ({_named(lines)}); no scorer will score them",
            "hint": "correct these golden answers, and add the dataset again",
        }


def _missing(scorers: Iterable[ScorerConfig], manifest: GoldenManifest) -> list[dict[str, str]]:
    """Tell of rows without golden answer, where a scorer compares with one."""
    names = [config.score_name for config in scorers if config.scorer.needs_golden]
    count = manifest.without_golden_count
    if not count or not names:
        return []
    rows, where = counted(count, "row", verb=("has", "have")), "line" if count == 1 else "lines"
    lines = ", ".join(map(str, manifest.without_golden_lines))
    more = ", …" if count > len(manifest.without_golden_lines) else ""
    return [
        {
            "code": "golden_missing",
            "message": f"{', '.join(names)}: {rows} no golden answer ({where} {lines}{more}); they will be unscoreable",
            "hint": "add golden answers, or choose scorers that need none: regex:PATTERN",
        }
    ]


def _reads_golden(config: ScorerConfig) -> bool:
    return isinstance(config.scorer, TextScorer) and config.scorer.make_golden_check is not None


def _unreadable(config: ScorerConfig, rows: Iterable[GoldenRow]) -> Iterable[dict[str, str]]:
    scorer = config.scorer
    if not isinstance(scorer, TextScorer) or scorer.make_golden_check is None:
        return
    is_readable = scorer.make_golden_check(**config.params)
    lines = [row.line for row in rows if row.answer and not any(map(is_readable, row.golden_answers))]
    if not lines:
        return
    count = counted(len(lines), "golden answer", verb=("holds", "hold"))
    yield {
        "code": "golden_unreadable",
        "message": f"{config.score_name}: {count} {scorer.golden_needs} ({_named(lines)}); they will be unscoreable",
        "hint": "correct these golden answers, or choose another scorer for this dataset",
    }


def _named(lines: Sequence[int]) -> str:
    return (
        ("line " if len(lines) == 1 else "lines ")
        + ", ".join(map(str, lines[:_LINES_NAMED]))
        + (", …" if len(lines) > _LINES_NAMED else "")
    )
