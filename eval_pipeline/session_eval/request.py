"""What a person may set of a run that judges sessions, a field each: file, form and flags come from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Self

from eval_pipeline.core.configuration import check_range, invalid_config, read_given
from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import shown
from eval_pipeline.core.options import (
    CONCURRENCY,
    MAX_COST_USD,
    OTHER_MODE_WORDS,
    OptionKind,
    RunOption,
)
from eval_pipeline.core.runs import RunMode

MOST_SAMPLES = 10
MOST_SEED = 2**31 - 1


class Scope(StrEnum):
    """Which sessions of a project a run judges."""

    UNEVALUATED = "unevaluated"
    """What this panel has not judged as they are now: new, changed, judged in part, or failed in passing."""
    SESSION = "session"
    """Those that are named."""
    ALL = "all"
    ANCHORS = "anchors"
    """Those of an anchor set, with the contents that were frozen, asked anew."""


class PanelAxes(StrEnum):
    """Who rates what."""

    OWN = "own"
    """Every expert its own axes, as the panel says."""
    FULL = "full"
    """Every expert all axes."""


class Feedback(StrEnum):
    """Whether judges see what people thought of a session."""

    HIDDEN = "hidden"
    SHOWN = "shown"
    """Such judgements are left out of calibration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRequest:
    """What a person asks for, before it is checked against sessions and settings; None means the default."""

    scope: Annotated[
        Scope | None,
        RunOption(
            help="unevaluated (default): what this panel has not judged as it is now. session: those named. all. "
            "anchors: those of an anchor set, asked anew.",
            form="unevaluated: what this panel has not judged as it is now. session: those named. all. anchors: those "
            "of an anchor set, asked anew.",
            page="`unevaluated`: sessions that this panel has not judged as they are now: new, changed, those "
            "judged in part, and those that failed in passing, up to three times. `session`: those that are named. "
            "`all`: every session; what this panel has judged already is taken over, and not paid again. `anchors`: "
            "those of an anchor set, with the contents that were frozen; every judge is asked anew, whatever it said "
            "before.",
            unset="`unevaluated`; `session` where sessions are named, `anchors` where an anchor set is",
        ),
    ] = None
    sessions: Annotated[
        tuple[str, ...],
        RunOption(
            kind=OptionKind.TEXTS,
            flag="session",
            metavar="ID",
            help="A session to judge; repeatable.",
            form="Sessions to judge, by their ids.",
            page="List of the sessions to judge, by their ids.",
            unset="all of the scope",
        ),
    ] = ()
    anchors: Annotated[
        str | None,
        RunOption(
            metavar="NAME",
            help="The anchor set to judge again, to tell whether judges moved; goes with no other choice of sessions.",
            form="The anchor set to judge again, to tell whether judges moved.",
            page="The anchor set to judge again, to tell whether judges moved: its sessions, all of them, with the "
            "contents that were frozen. Goes with no other choice of sessions.",
            unset="none",
        ),
    ] = None
    since: Annotated[
        str | None,
        RunOption(
            metavar="TIME",
            help="Only sessions active since then: 2026-01-31, or with a time; without a zone it is UTC.",
            page="Only sessions whose last activity is not before this: a date, or a date with a time; without a zone "
            "it is UTC.",
            unset="any time",
        ),
    ] = None
    limit: Annotated[
        int | None,
        RunOption(
            metavar="N",
            help="At most so many, those that were active first before others.",
            page="At most so many sessions, in the order of their last activity, then of their ids.",
            unset="no limit",
        ),
    ] = None
    profile: Annotated[
        str | None,
        RunOption(
            metavar="ID",
            help="Only sessions of this profile.",
            page="Only sessions of this profile.",
            unset="all profiles",
        ),
    ] = None
    panel: Annotated[
        str,
        RunOption(
            metavar="FILE",
            help="Panel of judges: a YAML file, or sessions, which is built in (default).",
            form="Panel of judges: a YAML file where this code runs, or sessions, which is built in.",
            page="Panel of judges: a YAML file, or `sessions`, which is built in. The run keeps all of its text.",
            unset="`sessions`",
        ),
    ] = "sessions"
    panel_axes: Annotated[
        PanelAxes,
        RunOption(
            help="own (default): every expert rates its own axes. full: every expert rates all.",
            form="own: every expert rates its own axes. full: every expert rates all.",
            page="`own`: every expert rates the axes that the panel gives it. `full`: every expert rates all.",
            unset="`own`",
        ),
    ] = PanelAxes.OWN
    samples: Annotated[
        int,
        RunOption(
            metavar="N",
            help="How often each expert judges each session; default 1.",
            page=f"How often each expert judges each session; 1 to {MOST_SAMPLES}. Its samples are averaged first.",
            unset="`1`",
        ),
    ] = 1
    mode: Annotated[
        RunMode,
        RunOption(
            also=OTHER_MODE_WORDS,
            help="batch (default): at half price, within a day. fast: live calls.",
            form="batch: at half price, within a day. fast: live calls.",
            page="`batch`: at half price, within a day; experts whose endpoint has no batches are asked live. "
            "`fast`: live calls.",
            unset="`batch`; where no endpoint of the panel has batches, `fast`",
        ),
    ] = RunMode.BATCH
    feedback: Annotated[
        Feedback,
        RunOption(
            help="hidden (default), or shown: judges see what people thought, and are left out of calibration.",
            form="hidden, or shown: judges see what people thought, and are left out of calibration.",
            page="`hidden`, or `shown`: judges see likes, dislikes and verified outcomes. Such judgements are cells of "
            "their own, and left out of calibration.",
            unset="`hidden`",
        ),
    ] = Feedback.HIDDEN
    seed: Annotated[
        int,
        RunOption(
            metavar="N",
            help="What draws the sessions that carry canaries; default 0.",
            page="What draws the sessions that carry canaries.",
            unset="`0`",
        ),
    ] = 0
    concurrency: Annotated[int | None, CONCURRENCY] = None
    failure_threshold: Annotated[
        float,
        RunOption(
            metavar="SHARE",
            help="The run fails (exit code 100) above this share of failed judgements, or of sessions without a score "
            "of their main axis; 0 to 1, default 0.5.",
            form="The run fails above this share of failed judgements, or of sessions without a score of their main "
            "axis.",
            page="The run fails when more than this share of the judgements failed, or of the sessions has no score of "
            "the main axis (goal_completion); 0 to 1.",
            unset="`0.5`",
        ),
    ] = 0.5
    max_cost_usd: Annotated[float | None, MAX_COST_USD] = None

    @classmethod
    def from_mapping(cls, values: Json) -> Self:
        """Read a configuration file or form; an unknown key is an error, not ignored."""
        given = read_given(cls, values)
        given["sessions"] = _ids(given.get("sessions", ()))
        request = cls(**given)
        if request.scope is Scope.SESSION and not request.sessions:
            raise invalid_config("no session was named", "name one or more with --session ID, or leave the scope out")
        if request.scope in {Scope.ALL, Scope.UNEVALUATED} and request.sessions:
            raise invalid_config(
                f"scope is {request.scope}, and {len(request.sessions):,} sessions are named",
                "leave out the scope, or the names",
            )
        request.check_anchors()
        if request.limit is not None:
            check_range("limit", value=request.limit, low=1, high=10**9)
        check_range("samples", value=request.samples, low=1, high=MOST_SAMPLES)
        check_range("seed", value=request.seed, low=0, high=MOST_SEED)
        check_range("failure_threshold", value=request.failure_threshold, low=0, high=1)
        return request

    @property
    def chosen_scope(self) -> Scope:
        """Which sessions are meant, where nothing is said, too."""
        if self.scope is not None:
            return self.scope
        if self.anchors is not None:
            return Scope.ANCHORS
        return Scope.SESSION if self.sessions else Scope.UNEVALUATED

    def check_anchors(self) -> None:
        """Refuse what would make of an anchor set something else than what was frozen."""
        if self.chosen_scope is not Scope.ANCHORS:
            if self.anchors is not None:
                raise invalid_config(
                    f"scope is {self.scope}, and anchor set {shown(self.anchors)} is named",
                    "leave out the scope, or the anchor set",
                )
            return
        if self.anchors is None:
            raise invalid_config("no anchor set was named", "name one with --anchors NAME")
        others = {
            "sessions": bool(self.sessions),
            "since": self.since is not None,
            "limit": self.limit is not None,
            "profile": self.profile is not None,
            "feedback: shown": self.feedback is Feedback.SHOWN,
        }
        if given := [name for name, is_given in others.items() if is_given]:
            raise invalid_config(
                f"anchor set {shown(self.anchors)} is judged as it was frozen, {', '.join(given)} would change that",
                f"leave out {', '.join(given)}",
            )

    @property
    def active_since(self) -> datetime | None:
        """Since when, in UTC."""
        return None if self.since is None else read_moment(self.since)


def _ids(value: object) -> tuple[str, ...]:
    named = [value] if isinstance(value, str) else value
    if not isinstance(named, Sequence) or not all(isinstance(one, str) and one.strip() for one in named):
        raise invalid_config(f"sessions is {shown(str(value))}, not a list of ids", "give ids as texts")
    return tuple(dict.fromkeys(one.strip() for one in named))


def read_moment(text: str) -> datetime:
    """Read a date, or a date with a time; without a zone it is UTC.

    >>> read_moment("2026-01-31T10:00+05:30").isoformat()
    '2026-01-31T04:30:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise invalid_config(
            f"since is {shown(text)}, which is no time", "write 2026-01-31, or 2026-01-31T18:00+05:30"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
