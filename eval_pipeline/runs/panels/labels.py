"""Keeps the labels of panels and rubrics honest: a text that changes under an unchanged label is refused."""

from collections.abc import Iterator

from eval_pipeline.core.configuration import canonical_sha256
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.judgement_claims import Label
from eval_pipeline.core.names import shown
from eval_pipeline.judging.panel import Panel, panel_json
from eval_pipeline.wiring.deployment import Deployment

_SHOWN = 12


def check_labels(deployment: Deployment, project: str, panel: Panel) -> None:
    """Raise ``panel_label_taken`` for a panel or rubric whose text is another one than its label stood for before."""
    for label in _labels_of(panel):
        known = deployment.ledger.find_label(project, kind=label.kind, name=label.name)
        if known is not None and known != label:
            raise _taken(label, known)


def note_labels(deployment: Deployment, project: str, panel: Panel) -> None:
    """Remember what the labels of a panel stand for from now on; raises ``panel_label_taken``, too."""
    for label in _labels_of(panel):
        known = deployment.ledger.note_label(project, label)
        if known != label:
            raise _taken(label, known)


def _labels_of(panel: Panel) -> Iterator[Label]:
    yield Label("panel", panel.version, panel.fingerprint)
    yield Label("rubric", panel.rubric.version, canonical_sha256(panel_json(panel)["axes"]))


def _taken(label: Label, known: Label) -> ConflictError:
    return ConflictError(
        f"{label.kind} {shown(label.name)} was used before with another text (fingerprint "
        f"{known.fingerprint[:_SHOWN]}, now {label.fingerprint[:_SHOWN]})",
        code="panel_label_taken",
        hint=f"give the changed {label.kind} another version: results of two texts cannot be told apart by one label",
    )
