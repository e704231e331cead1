"""What a run has now: its finished stages, of which one that was made from something else does not count.

Everything that reads a run's results goes through here, so that no two places differ about what is out of date.
"""

from typing import Any

from eval_pipeline.core.errors import ConflictError, UsageError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.core.stages import StageRef
from eval_pipeline.runs.flow import plan_of
from eval_pipeline.wiring.deployment import Deployment


class StoredRun:
    """The finished stages of one run; each is looked for once.

    Args:
        deployment: where the run lives.
        run: its row.
    """

    def __init__(self, deployment: Deployment, run: RunRecord) -> None:
        self._deployment = deployment
        self._run = run
        self._found: dict[str, StageReader | None] = {}

    def find(self, stage: str) -> StageReader | None:
        """Return a stage if it was finished, and made from the answers that the run has now."""
        found = self._any(stage)
        return None if found is None or self._outdated_by(found) else found

    def open(self, stage: str) -> StageReader:
        """Return a stage; raises ``stage_missing``, or ``stages_do_not_match`` when it was made from other answers."""
        found = self._any(stage) or self._deployment.stages.open(self._ref(stage))
        if (upstream := self._outdated_by(found)) is not None:
            raise _does_not_match(found, upstream)
        return found

    def paid(self, stage: str) -> PaidSummary | None:
        """Return what a paid stage came to, once it is finished."""
        found = self.find(stage)
        return None if found is None else PaidSummary.of(found.manifest)

    def fact(self, stage: str, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return one fact of the summary of a stage that pays nothing."""
        found = self.find(stage)
        return None if found is None else found.manifest.summary.get(name)

    def _outdated_by(self, found: StageReader) -> StageReader | None:
        """Return the paid stage that holds something else than what a stage was made from."""
        made = found.manifest
        for name in plan_of(self._run.flow).paid_stages:
            if name in made.inputs:
                upstream = self._any(name)
                if upstream is None or not made.was_made_from(upstream.manifest):
                    return upstream or found
        return None

    def _any(self, stage: str) -> StageReader | None:
        if stage not in self._found:
            self._found[stage] = self._deployment.stages.find(self._ref(stage))
        return self._found[stage]

    def _ref(self, stage: str) -> StageRef:
        return StageRef(flow=self._run.flow, key=self._run.key, stage=stage)


def check_made_from(stage: StageReader, upstream: StageReader) -> None:
    """Raise ``stages_do_not_match`` when a stage was made from something else than an upstream stage holds now."""
    if not stage.manifest.was_made_from(upstream.manifest):
        raise _does_not_match(stage, upstream)


def nothing_to_export(key: RunKey, *, what: str) -> UsageError:
    """Build the error of a run whose items are not there yet."""
    return UsageError(
        f"run {key.run} has no {what} to export yet",
        code="stage_missing",
        hint=f"eval-pipeline run status {key.run} shows where it stands",
    )


def _does_not_match(stage: StageReader, upstream: StageReader) -> ConflictError:
    made = stage.manifest
    return ConflictError(
        f"{made.stage} was made from other {upstream.manifest.stage.stage} than the run has now",
        code="stages_do_not_match",
        hint=f"materialize {made.stage.stage} of the run again: what is stored is not paid for twice",
    )
