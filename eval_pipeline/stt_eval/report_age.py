"""What people know that a run's report does not show yet: verdicts, corrected references, newer rules of comparison.

A report is a file that was written once; whoever says something later must be told how it gets in.
"""

from collections.abc import Iterator

from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.names import RunKey, command_on, shown
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.life import find_run
from eval_pipeline.stt_eval.corrected_references import REFERENCES
from eval_pipeline.stt_eval.feedback import run_history, stored_run
from eval_pipeline.stt_eval.language.normalisation import NORMALISER_VERSIONS
from eval_pipeline.wiring.deployment import Deployment

ENTRIES = "feedback_entries"
"""In the summary of a report: how much had been said when it was written."""


def newer_than_report(deployment: Deployment, key: RunKey) -> str | None:
    """Say that people said more than the report shows; None when it shows all, or there is none."""
    report = stored_run(deployment, key).find("report")
    said = sum(map(len, run_history(deployment, key).values()))
    shown = 0 if report is None else report.manifest.summary.get(ENTRIES, 0)
    if report is None or said <= shown:
        return None
    return (
        f"the report of {key.run} does not show what was said since it was written;"
        f" {command_on('stt rescore', key)} writes it anew and calls nobody"
    )


def age_warnings(deployment: Deployment, key: RunKey) -> Iterator[dict[str, str]]:
    """Say in what a run's scores and report are behind what is known now."""
    hint = f"{command_on('stt rescore', key)} makes scores and report anew, and calls nobody"
    stored = stored_run(deployment, key)
    scores = stored.find("scores")
    figures = scores.manifest.summary.get("figures") if scores else None
    made_with = dict(figures.get("normalisers") or {}) if figures else {}
    now = {str(level): version for level, version in NORMALISER_VERSIONS.items()}
    if made_with and made_with != now:
        older = ", ".join(version for level, version in made_with.items() if now.get(level) != version)
        newer = ", ".join(version for level, version in now.items() if made_with.get(level) != version)
        told = f"the scores were made with {older}; transcripts are compared with {newer} by now"
        yield {"code": "scores_of_earlier_version", "message": told, "hint": hint}
    if newer_than_report(deployment, key) is not None:
        yield {"code": "report_is_stale", "message": "people said more than the report shows", "hint": hint}
    yield from _newer_dataset(deployment, key)


def _newer_dataset(deployment: Deployment, key: RunKey) -> Iterator[dict[str, str]]:
    """Say when the dataset has a newer version than the one that was scored against."""
    run = find_run(deployment, flow=Flow.STT, key=key)
    facts = (stored_run(deployment, key).fact("scores", "figures") or {}).get(REFERENCES)
    scored = facts["version"] if facts else run.dataset_version
    name = facts["dataset"] if facts else run.dataset_name
    try:
        newest = deployment.ledger.find_dataset(project=key.project, name=name)
    except NotFoundError:
        return
    if newest.version != scored:
        told = f"dataset {shown(name)} has a newer version than the {scored[:12]} that was scored against"
        rescore = f"{command_on('stt rescore', key)} --dataset {name}@{newest.version[:12]}"
        yield {
            "code": "dataset_has_newer_version",
            "message": told,
            "hint": f"{rescore} takes its references, for free",
        }
