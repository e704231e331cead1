"""How the sessions of a project stand: what the ledger knows of their results, joined with what they are by now."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from eval_pipeline.core.endpoints import Endpoints, frozen_of
from eval_pipeline.core.session_results import ScoredStatus, StandingRow
from eval_pipeline.runs.panels.judges import Judges, host_of
from eval_pipeline.session_eval.scoring.standing import (
    TRIES,
    Asked,
    Instrument,
    Result,
    Standing,
    instrument_of,
    is_to_be_judged,
    status_of,
)
from eval_pipeline.session_eval.spec import SessionSpec
from eval_pipeline.wiring.deployment import Deployment


def judges_instrument(judges: Judges, endpoints: Endpoints) -> Instrument:
    """Return the instrument that a seated panel is."""
    return instrument_of(
        judges.panel,
        {
            seat.id: Asked(
                judge_fingerprint=seat.fingerprint,
                model=f"{seat.endpoint}/{seat.model}",
                protocol=str(frozen_of(endpoints, seat.endpoint).protocol),
                host=host_of(frozen_of(endpoints, seat.endpoint)),
            )
            for seat in judges.seats
        },
    )


def spec_instrument(spec: SessionSpec) -> Instrument:
    """Return the instrument of a run."""
    return judges_instrument(spec.judges, spec.endpoints)


@dataclass(frozen=True, slots=True)
class Standings:
    """How the sessions of a project stand towards an instrument."""

    current: Instrument | None
    instruments: Mapping[str, Instrument]
    at_work: frozenset[str]
    latest: Mapping[str, StandingRow]

    def of(self, session_id: str, *, session_fingerprint: str) -> Standing:
        """Tell how one session stands."""
        result = self.latest.get(session_id)
        return status_of(
            session_fingerprint=session_fingerprint,
            result=None if result is None else self._result(result),
            current=self.current,
            is_running=session_id in self.at_work,
        )

    def is_to_be_judged(self, session_id: str, session_fingerprint: str) -> bool:
        """Tell whether a run over what is unevaluated takes a session up; what failed for good it leaves."""
        result = self.latest.get(session_id)
        tries = 0 if result is None else result.failed_tries if result.may_be_retried else TRIES
        return is_to_be_judged(self.of(session_id, session_fingerprint=session_fingerprint), failed_tries=tries)

    def _result(self, row: StandingRow) -> Result:
        return Result(
            session_fingerprint=row.session_fingerprint,
            instrument=self.instruments[row.instrument],
            status=ScoredStatus(row.status),
        )


def read_standings(
    deployment: Deployment, project: str, *, current: Instrument | None, session_ids: Collection[str] | None = None
) -> Standings:
    """Read how sessions stand, of some or of all."""
    ledger = deployment.ledger
    return Standings(
        current=current,
        instruments={
            digest: Instrument.from_json(document) for digest, document in ledger.instruments(project=project).items()
        },
        at_work=ledger.sessions_at_work(project=project, session_ids=session_ids),
        latest={row.session_id: row for row in ledger.latest_standings(project=project, session_ids=session_ids)},
    )
