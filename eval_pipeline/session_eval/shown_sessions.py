"""What the report shows of sessions beside their scores: contents, what people said of messages, earlier weeks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from eval_pipeline.core.documents import Row
from eval_pipeline.session_eval import session_store
from eval_pipeline.session_eval.report.data import SaidOfMessage, Transcript
from eval_pipeline.session_eval.scoring.standing import Instrument
from eval_pipeline.session_eval.scoring.weekly import Weekly
from eval_pipeline.session_eval.session_feedback import standing
from eval_pipeline.session_eval.sessions.material import material_of
from eval_pipeline.session_eval.weekly_stats import MOST_DAYS, weekly_stats
from eval_pipeline.wiring.deployment import Deployment

_A_MOMENT: Final = timedelta(seconds=1)
_NO_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""What the ledger keeps of a thumb whose time the recording does not tell."""


@dataclass(frozen=True, slots=True)
class ShownContents:
    """Gives sessions as their judges read them, with what people said since."""

    deployment: Deployment
    project: str

    def transcript(self, session_id: str, fingerprint: str) -> Transcript | None:
        """Return a session as it was judged; None where its content is gone."""
        stored = session_store.find(self.deployment, self.project, session_id, fingerprint=fingerprint)
        if stored is None:
            return None
        thumbs = self.deployment.ledger.thumbs(project=self.project, session_ids=[session_id])
        said = [
            SaidOfMessage(
                message=one.thumb.message_index,
                liked=one.thumb.rating == 1,
                comment=one.thumb.comment,
                author=one.thumb.author,
                said_at=one.thumb.said_at if one.thumb.said_at > _NO_TIME else None,
            )
            for one in standing(thumbs)
            if one.counts
        ]
        session = session_store.content(self.deployment, stored)
        return Transcript(material_of(session).parts, said)


def weeks_until(
    deployment: Deployment, project: str, instrument: Mapping[str, object] | None, *, rows: Iterable[Row]
) -> Weekly | None:
    """Return the year up to the last activity of a run's sessions, as the run's instrument judged all of it."""
    last = max((row["last_active"] for row in rows if row["last_active"] is not None), default=None)
    if last is None or instrument is None:
        return None
    digest = Instrument.from_json(instrument).digest
    stats = weekly_stats(deployment, project, days=MOST_DAYS, now=min(last + _A_MOMENT, datetime.now(UTC)))
    return next((one.weekly for one in stats.series if one.digest == digest), None)
