"""Reads what judges are shown of a run's sessions, some ahead: many lie in one part of the store."""

from collections.abc import Sequence
from typing import Final

from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.names import shown
from eval_pipeline.core.sessions import SessionScope
from eval_pipeline.judging.material import Material
from eval_pipeline.session_eval import session_store
from eval_pipeline.session_eval.sessions.material import material_of
from eval_pipeline.session_eval.sessions.session import Session
from eval_pipeline.wiring.deployment import Deployment

AHEAD: Final = 100


class Contents:
    """The contents of some sessions, as they were when a run was claimed.

    Args:
        deployment: where they are.
        project: whose.
        wanted: ids with fingerprints, in the order in which they will be asked for.
    """

    def __init__(self, deployment: Deployment, project: str, wanted: Sequence[tuple[str, str]]) -> None:
        self._deployment = deployment
        self._project = project
        self._wanted = wanted
        self._places = {session_id: place for place, (session_id, _) in enumerate(wanted)}
        self._ahead: dict[str, Session] = {}

    def material(self, session_id: str) -> Material:
        """Return what is judged of a session.

        Raises:
            NotFoundError: ``session_gone``, of one that somebody deleted or had forgotten since.
        """
        if session_id not in self._ahead:
            place = self._places[session_id]
            self._ahead = self._read(self._wanted[place : place + AHEAD])
        if session_id in self._ahead:
            return material_of(self._ahead[session_id])
        return material_of(self._older(session_id, self._wanted[self._places[session_id]][1]))

    def _read(self, wanted: Sequence[tuple[str, str]]) -> dict[str, Session]:
        """Read those that are as they were."""
        scope = SessionScope(session_ids=tuple(session_id for session_id, _ in wanted))
        found = {one.session_id: one for one in session_store.each(self._deployment, self._project, scope)}
        there = [
            found[session_id]
            for session_id, fingerprint in wanted
            if session_id in found and found[session_id].session_fingerprint == fingerprint
        ]
        return {one.session_id: session for one, session in session_store.contents(self._deployment, there)}

    def _older(self, session_id: str, fingerprint: str) -> Session:
        """Read one that has changed since: its content of then is kept for audit."""
        stored = session_store.find(self._deployment, self._project, session_id, fingerprint=fingerprint)
        if stored is None:
            raise NotFoundError(
                f"project {self._project} no longer has session {shown(session_id)} as the run was claimed with it",
                code="session_gone",
                hint="start another run: it judges what is there now",
            )
        return session_store.content(self._deployment, stored)
