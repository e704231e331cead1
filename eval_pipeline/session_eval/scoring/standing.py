"""How a session stands towards a panel: judged, not yet, or by an instrument or a content that is another by now.

An instrument is everything that shapes a verdict. Two are the same where their digests are; where they are not, the
documents say in what they differ, expert by expert, so that a changed expert makes no other one stale.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final, Self

from eval_pipeline.core.configuration import canonical_sha256
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.session_results import ScoredStatus, SessionStatus
from eval_pipeline.judging.panel import Expert, Panel, panel_json

TRIES: Final = 3
"""Runs that failed in passing at a session, after which it is no longer taken up by itself."""


class StaleReason(StrEnum):
    """What changed since a session was judged."""

    SESSION_CHANGED = "session_changed"
    RUBRIC_CHANGED = "rubric_changed"
    JUDGE_CHANGED = "judge_changed"
    """How an expert is asked: its prompt, its parameters, its schema, the address of its endpoint."""
    MODEL_CHANGED = "model_changed"
    PANEL_CHANGED = "panel_changed"
    """Who judges, what each rates, or what each weighs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertIdentity:
    """What shapes one expert's verdicts, by digest, and what of it has a reason of its own."""

    model: str
    """``ENDPOINT/MODEL``."""
    judge_fingerprint: str
    asking_fingerprint: str
    """Of how it is asked alone: prompt, parameters, protocol, host; neither model nor rubric."""
    axes: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What sessions are judged with."""

    panel_version: str
    """A label, which is no part of what the instrument is."""
    panel_fingerprint: str
    rubric_version: str
    rubric_fingerprint: str
    experts: Mapping[str, ExpertIdentity]

    @property
    def axes(self) -> tuple[str, ...]:
        """All that any expert rates, in the order of the experts."""
        return tuple(dict.fromkeys(axis for expert in self.experts.values() for axis in expert.axes))

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of all that shapes a score; labels and spellings do not."""
        document = self.to_json()
        return _digest({"rubric_fingerprint": document["rubric_fingerprint"], "experts": document["experts"]})

    def to_json(self) -> JsonDict:
        """Return the document that the ledger keeps."""
        return {
            "panel_version": self.panel_version,
            "panel_fingerprint": self.panel_fingerprint,
            "rubric_version": self.rubric_version,
            "rubric_fingerprint": self.rubric_fingerprint,
            "experts": {name: {**asdict(one), "axes": list(one.axes)} for name, one in self.experts.items()},
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the document back."""
        return cls(
            panel_version=value["panel_version"],
            panel_fingerprint=value["panel_fingerprint"],
            rubric_version=value["rubric_version"],
            rubric_fingerprint=value["rubric_fingerprint"],
            experts={
                name: ExpertIdentity(**{**one, "axes": tuple(one["axes"])}) for name, one in value["experts"].items()
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How one expert is asked, as its run froze it."""

    judge_fingerprint: str
    """As ``judging.identity`` makes it."""
    model: str
    """``ENDPOINT/MODEL``, whatever short form the panel has."""
    protocol: str
    host: str


def instrument_of(panel: Panel, asked: Mapping[str, Asked]) -> Instrument:
    """Return the instrument that a panel is, each of its experts asked in some way."""
    return Instrument(
        panel_version=panel.version,
        panel_fingerprint=_digest(panel_json(panel)),
        rubric_version=panel.rubric.version,
        rubric_fingerprint=_digest(panel_json(panel)["axes"]),
        experts={expert.id: _identity(expert, asked[expert.id]) for expert in panel.experts},
    )


def _identity(expert: Expert, asked: Asked) -> ExpertIdentity:
    asking = {
        "prompt": expert.prompt,
        "params": dict(expert.params),
        "protocol": asked.protocol,
        "host": asked.host,
    }
    return ExpertIdentity(
        model=asked.model,
        judge_fingerprint=asked.judge_fingerprint,
        asking_fingerprint=_digest(asking),
        axes=expert.axes,
        weight=expert.weight,
    )


def _digest(document: Json) -> str:
    return f"sha256:{canonical_sha256(document)}"


def changes(before: Instrument, now: Instrument) -> tuple[StaleReason, ...]:
    """Tell in what two instruments differ, in the order of the reasons."""
    same_rubric = before.rubric_fingerprint == now.rubric_fingerprint
    found = set() if same_rubric else {StaleReason.RUBRIC_CHANGED}
    if set(before.experts) != set(now.experts):
        found.add(StaleReason.PANEL_CHANGED)
    for name in before.experts.keys() & now.experts.keys():
        found |= _expert_changes(before.experts[name], now.experts[name], same_rubric=same_rubric)
    return tuple(reason for reason in StaleReason if reason in found)


def _expert_changes(before: ExpertIdentity, now: ExpertIdentity, *, same_rubric: bool) -> set[StaleReason]:
    found: set[StaleReason] = set()
    if before.model != now.model:
        found.add(StaleReason.MODEL_CHANGED)
    if before.asking_fingerprint != now.asking_fingerprint:
        found.add(StaleReason.JUDGE_CHANGED)
    if (before.axes, before.weight) != (now.axes, now.weight):
        found.add(StaleReason.PANEL_CHANGED)
    if not found and same_rubric and before.judge_fingerprint != now.judge_fingerprint:
        # what this version of the program adds to every question: templates, rendering, cuts, schema
        found.add(StaleReason.JUDGE_CHANGED)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the latest run that judged a session came to."""

    session_fingerprint: str
    instrument: Instrument
    status: ScoredStatus


@dataclass(frozen=True, slots=True)
class Standing:
    """How a session stands, and why it is stale."""

    status: SessionStatus
    reasons: tuple[StaleReason, ...] = ()
    panel_complete: bool = False
    """Whether the scores that it has are those of the whole panel."""


def status_of(
    *, session_fingerprint: str, result: Result | None, current: Instrument | None, is_running: bool = False
) -> Standing:
    """Tell how a session stands: running before failed before stale before partial before evaluated.

    Args:
        session_fingerprint: of the session as it is now.
        result: of the latest run that judged it.
        current: what it would be judged with; None: with whatever it was judged last.
        is_running: whether a run that has not ended is to judge it.
    """
    reasons = () if result is None else _reasons(result, session_fingerprint=session_fingerprint, current=current)
    complete = result is not None and result.status is ScoredStatus.EVALUATED
    if is_running:
        return Standing(SessionStatus.RUNNING, reasons, complete)
    if result is None:
        return Standing(SessionStatus.PENDING)
    if result.status is ScoredStatus.FAILED:
        return Standing(SessionStatus.FAILED, reasons, complete)
    if reasons:
        return Standing(SessionStatus.STALE, reasons, complete)
    return Standing(SessionStatus.EVALUATED if complete else SessionStatus.PARTIAL, (), complete)


def _reasons(result: Result, *, session_fingerprint: str, current: Instrument | None) -> tuple[StaleReason, ...]:
    grown = (StaleReason.SESSION_CHANGED,) if result.session_fingerprint != session_fingerprint else ()
    return (*grown, *(() if current is None else changes(result.instrument, current)))


def is_to_be_judged(standing: Standing, *, failed_tries: int = 0) -> bool:
    """Tell whether a run over what is unevaluated takes a session up.

    A session that failed is tried in three runs; one that changed since begins anew.
    """
    match standing.status:
        case SessionStatus.PENDING | SessionStatus.STALE | SessionStatus.PARTIAL:
            return True
        case SessionStatus.FAILED:
            return failed_tries < TRIES or bool(standing.reasons)
        case SessionStatus.RUNNING | SessionStatus.EVALUATED:
            return False


def passes(standing: Standing, wanted: Collection[SessionStatus]) -> bool:
    """Tell whether a session is among those that were asked for; what is partial counts as evaluated, too."""
    if standing.status in wanted:
        return True
    return standing.status is SessionStatus.PARTIAL and SessionStatus.EVALUATED in wanted
