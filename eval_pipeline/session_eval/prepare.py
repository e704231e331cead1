"""From a request to a claimed run: everything that can be checked without paying is checked here, in one order.

Panel, endpoints, keys, prices, sessions, name: the command line and the Dagster form give the same answers.
"""

from pathlib import Path
from typing import Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import RunKey, shown, validate_project
from eval_pipeline.core.runs import RunMode
from eval_pipeline.judging.panel import Panel, with_all_axes
from eval_pipeline.judging.panel_file import built_in_panel, read_panel
from eval_pipeline.runs.claims import Prepared, check_budget, check_priced, choose_concurrency
from eval_pipeline.runs.panels.judges import Judges, panel_notes, seat_panel
from eval_pipeline.runs.panels.labels import check_labels
from eval_pipeline.session_eval.anchors import anchored, find_anchors
from eval_pipeline.session_eval.chosen import Selection, choose, limited
from eval_pipeline.session_eval.request import PanelAxes, SessionRequest
from eval_pipeline.session_eval.results_store import judges_instrument
from eval_pipeline.session_eval.spec import FrozenAnchors, SessionSpec
from eval_pipeline.wiring import models
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.endpoints import Endpoints

BUILT_IN: Final = "sessions"
_MOST_PANEL_BYTES: Final = 1_000_000


def prepare_given(
    given: Json, /, *, project: str, run: str, deployment: Deployment, needs_key: bool = True
) -> Prepared[SessionSpec, Selection]:
    """Check what a person set, by whatever way."""
    return prepare(
        SessionRequest.from_mapping(given), project=project, run=run, deployment=deployment, needs_key=needs_key
    )


def prepare(
    request: SessionRequest, *, project: str, run: str, deployment: Deployment, needs_key: bool = True
) -> Prepared[SessionSpec, Selection]:
    """Check a request against sessions and settings; nothing is paid, nothing is written.

    Args:
        request: what a person asks for.
        project: whose run it is.
        run: its name.
        deployment: where sessions are.
        needs_key: whether a provider will be called; an estimate needs no key.
    """
    key = RunKey.of(project=project, run=run)
    endpoints = deployment.endpoints(validate_project(project))
    panel = load_panel(request)
    check_labels(deployment, project, panel)
    judges = _seated(panel, request, endpoints)
    mode = RunMode.BATCH if RunMode.BATCH in judges.modes else RunMode.FAST
    check_budget(request.max_cost_usd)
    frozen = endpoints.frozen([(seat.endpoint, seat.model) for seat in judges.seats])
    check_priced(
        request.max_cost_usd,
        (models.tariff(frozen[seat.endpoint], seat.model, mode=seat.mode) for seat in judges.seats),
    )
    if needs_key:
        _require_keys(judges, endpoints)
    instrument = judges_instrument(judges, frozen)
    anchors = None if request.anchors is None else find_anchors(deployment, project, request.anchors)
    chosen = (
        choose(request, deployment=deployment, project=project, instrument=instrument)
        if anchors is None
        else anchored(deployment, anchors)
    )
    selection = limited(chosen, request)
    spec = SessionSpec(
        scope=request.chosen_scope,
        since=request.active_since,
        limit=request.limit,
        profile=request.profile,
        sessions_count=len(selection.sessions),
        sessions_digest=selection.version,
        judges=judges,
        mode=mode,
        concurrency=choose_concurrency(request.concurrency, settings=deployment.settings),
        failure_threshold=float(request.failure_threshold),
        feedback=request.feedback,
        endpoints=frozen,
        instrument=instrument.to_json(),
        anchors=None if anchors is None else FrozenAnchors(anchors.name, anchors.number),
    )
    return Prepared(
        key=key,
        dataset=selection,
        spec=spec,
        max_cost_usd=request.max_cost_usd,
        notes=tuple(panel_notes(panel)),
        kept={spec.document_name: selection.document()},
    )


def load_panel(request: SessionRequest) -> Panel:
    """Read the panel that a person names."""
    panel = built_in_panel(BUILT_IN) if request.panel == BUILT_IN else _read_panel(Path(request.panel))
    return with_all_axes(panel) if request.panel_axes is PanelAxes.FULL else panel


def _read_panel(path: Path) -> Panel:
    try:
        if not path.is_file():
            raise FileNotFoundError(2, "there is no such file", str(path))
        with path.open("rb") as file:
            data = file.read(_MOST_PANEL_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"panel {shown(str(path))} cannot be read: {error.strerror}",
            code="file_unreadable",
            hint=f"name a YAML file, or {BUILT_IN}, which is built in",
        ) from None
    if len(data) > _MOST_PANEL_BYTES:
        raise UsageError(
            f"panel {shown(str(path))} has more than {_MOST_PANEL_BYTES:,} bytes",
            code="file_too_large",
            hint="a panel is a page of text: see docs/session-evaluation.md",
        )
    return read_panel(data, source=f"panel {shown(str(path))}")


def _seated(panel: Panel, request: SessionRequest, endpoints: Endpoints) -> Judges:
    return seat_panel(panel, endpoints=endpoints, mode=request.mode, samples=request.samples, seed=request.seed)


def _require_keys(judges: Judges, endpoints: Endpoints) -> None:
    """Raise unless every expert can be asked, and say which expert it is that cannot."""
    for seat in judges.seats:
        try:
            endpoints.find(seat.endpoint).require_key()
        except UsageError as error:
            raise UsageError(
                f"expert {shown(seat.id)} cannot be asked: {error.message}",
                code=error.code,
                hint=f"{error.hint}; or name another panel with --panel FILE",
            ) from None
