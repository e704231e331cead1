"""What views of judged sessions cost: a page of the overview, the weeks of a month, the agreement of a large run."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

import numpy as np

from benchmarks.figures import Figure, memory_figure
from benchmarks.live_runs import Site
from benchmarks.measure import side_by_side
from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.session_results import ScoredStatus, SessionResult
from eval_pipeline.core.sessions import ContentPlace, SessionRecord
from eval_pipeline.judging.panel_file import built_in_panel
from eval_pipeline.session_eval.overview import overview
from eval_pipeline.session_eval.scoring.agreement import AxisRatings, measure_axis
from eval_pipeline.session_eval.scoring.standing import Asked, instrument_of
from eval_pipeline.statistics.resampling import RESAMPLES
from eval_pipeline.wiring.deployment import Deployment

MANY: Final = 100_000
FEW: Final = 1_000
DAYS: Final = 30
PAGE_ALLOWED: Final = 1.5
STATS_ALLOWED_S: Final = 5.0
STATS_ALLOWED_MB: Final = 300
RATED: Final = 10_000
AGREEMENT_ALLOWED: Final = 3.0
_LEVELS: Final = (0.0, 25.0, 50.0, 75.0, 100.0)
_EXPERTS: Final = 4
_AT_ONCE: Final = 5_000
_PAGE_REPEATS: Final = 20
_SEED: Final = 16


def measure_views(site: Site, *, many: int = MANY, few: int = FEW) -> list[Figure]:
    """Fill a project with many judged sessions and one with few, then read both."""
    with closing(Deployment(environ=site.environ)) as deployment:
        for count in (few, many):
            _fill(deployment, f"sessions-{count}", count=count)
        pages = [*_page_figures(deployment, many=many, few=few)]
    few_s, many_s = side_by_side(*(partial(_page_s, site, f"sessions-{count}") for count in (few, many)))
    finished = site.command("session", "stats", "--days", str(DAYS), "--project", f"sessions-{many}", "--json")
    what = f"weekly statistics over {many:,} judged sessions, {DAYS} days, from process start to end"
    return [
        Figure(
            what=f"a page of the overview of {many:,} sessions, from process start to end",
            measured=f"{many_s:.2f} s of processor time",
            limit=f"of {few:,} sessions {few_s:.2f} s",
            ratio=many_s / few_s,
            allowed=PAGE_ALLOWED,
        ),
        *pages,
        Figure(
            what=what,
            measured=f"{finished.processor_s:.2f} s of processor time",
            limit=f"{STATS_ALLOWED_S:g} s",
            ratio=finished.processor_s / STATS_ALLOWED_S,
            allowed=1.0,
        ),
        memory_figure(f"memory of {what}", finished, allowed_mb=STATS_ALLOWED_MB),
    ]


def measure_agreement(site: Site, *, sessions: int = RATED) -> list[Figure]:
    """Hold the agreement of four experts on seven axes against numpy drawing and summing as often."""
    del site  # nothing runs there
    axes = tuple(built_in_panel("sessions").rubric.axes)
    generator = np.random.default_rng(_SEED)
    levels = {axis: generator.choice(_LEVELS, (sessions, _EXPERTS)) for axis in axes}
    names = tuple(f"expert {number}" for number in range(_EXPERTS))

    def ours() -> None:
        for axis in axes:
            said = levels[axis]
            ratings = AxisRatings(axis=axis, steps=_LEVELS, experts=names, levels=said, panel=said.mean(axis=1))
            measure_axis(ratings, seed="benchmark")

    def plain() -> None:
        for axis in axes:
            draws = np.random.default_rng(_SEED)
            for _ in range(RESAMPLES):
                drawn = draws.integers(0, sessions, sessions)
                for column in levels[axis].T:
                    column[drawn].sum()

    ours_s, plain_s = side_by_side(lambda: _processor_s(ours), lambda: _processor_s(plain))
    return [
        Figure(
            what=f"agreement of {_EXPERTS} experts, {len(axes)} axes, {sessions:,} sessions, {RESAMPLES:,} resamples",
            measured=f"{ours_s:.2f} s of processor time",
            limit=f"numpy drawing, gathering and summing, {plain_s:.2f} s",
            ratio=ours_s / plain_s,
            allowed=AGREEMENT_ALLOWED,
        )
    ]


def _page_figures(deployment: Deployment, *, many: int, few: int) -> Iterator[Figure]:
    """Read a page without the process around it, whose start is most of what the command takes."""
    for what, profile in (("", None), (" of one profile in five", "profile-1")):

        def page_s(count: int, profile: str | None = profile) -> float:
            return _processor_s(lambda: overview(deployment, f"sessions-{count}", profile=profile))

        few_s, many_s = side_by_side(partial(page_s, few), partial(page_s, many), repeats=_PAGE_REPEATS)
        yield Figure(
            what=f"the same page{what}, with its total, in a process that runs already",
            measured=f"{many_s * 1_000:.1f} ms of processor time",
            limit=f"of {few:,} sessions {few_s * 1_000:.1f} ms",
            ratio=many_s / few_s,
            allowed=PAGE_ALLOWED,
        )


def _page_s(site: Site, project: str) -> float:
    return site.command("session", "overview", "--project", project, "--json").processor_s


def _processor_s(work: Callable[[], object]) -> float:
    started_s = time.process_time()
    work()
    return time.process_time() - started_s


def _fill(deployment: Deployment, project: str, *, count: int) -> None:
    """Record sessions and what a panel said of them, as ingest and a run do; their contents are read by nobody here."""
    panel = built_in_panel("sessions")
    asked = {one.id: Asked(judge_fingerprint=one.id, model=one.model, protocol="p", host="h") for one in panel.experts}
    instrument = instrument_of(panel, asked)
    ledger = deployment.ledger
    ledger.keep_instrument(project=project, digest=instrument.digest, document=instrument.to_json())
    for place, some in enumerate(chunks(_sessions(count), size=_AT_ONCE)):
        key = f"part-{place}"
        ledger.begin_part(project=project, key=key)
        ledger.record_sessions(project=project, key=key, sessions=some)
        results = [_result(session, instrument=instrument.digest) for session in some]
        ledger.record_results(RunKey(project=project, run="judged"), results)


def _sessions(count: int) -> Iterator[SessionRecord]:
    now = datetime.now(UTC)
    for number in range(count):
        yield SessionRecord(
            session_id=f"session-{number:06}",
            fingerprint=f"sha256:{number:064x}",
            about="",
            profile_id=f"profile-{number % 5}",
            name=f"Session {number:,}",
            pinned=number % 1_000 == 0,
            created_at=now,
            last_active=now - timedelta(days=DAYS * number / count),
            messages=12,
            facts="{}",
            outcome=None,
            place=ContentPlace("part", number),
        )


_AXES: Final = tuple(built_in_panel("sessions").rubric.axes)
_CHANCE: Final = np.random.default_rng(_SEED)


def _result(session: SessionRecord, *, instrument: str) -> SessionResult:
    means = _CHANCE.choice(_LEVELS, (7, 3)).mean(axis=1).tolist()
    axes = {
        axis: {"mean": mean, "reason": None, "n": 3, "owners": 3, "sd": 10.0, "disagreement": False}
        for axis, mean in zip(_AXES, means, strict=True)
    }
    return SessionResult(
        session_id=session.session_id,
        run="judged",
        session_fingerprint=session.fingerprint,
        instrument=instrument,
        status=ScoredStatus.EVALUATED,
        may_be_retried=False,
        mean=sum(means[1:5]) / 4,
        complexity=means[0],
        axes=axes,
        cells=4,
        cells_failed=0,
        cost_usd=Decimal("0.0123"),
        profile_id=session.profile_id,
        last_active=session.last_active,
        judged_at=datetime.now(UTC),
    )
