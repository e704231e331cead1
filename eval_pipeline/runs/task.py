"""What a stage's work is given by whoever has it done: which run, which process, where to tell its progress."""

from collections.abc import Callable
from dataclasses import dataclass, field

from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports.progress import Progress
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.wiring.credentials import Credentials
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.endpoints import Endpoints


@dataclass(frozen=True, slots=True)
class Task:
    """One stage of one run, to be made now."""

    deployment: Deployment
    flow: Flow
    key: RunKey
    dagster_run_id: str
    retried_run_id: str | None
    """The Dagster run that Dagster itself retries with this one."""
    progress: Progress
    say: Callable[[str], None]
    """Writes a line into the Dagster run's log."""
    given: Json = field(default_factory=dict)
    """What a person filled in for the stage, by name."""
    refresh: bool = False
    resend_lost: bool = False
    """Whether a person accepts that items whose paid result is gone may be charged a second time."""
    endpoint_changed: bool = False
    """Whether a person accepts that another endpoint is asked than the run was specified for."""
    requested_by: str = "dagster"
    """Who asked for it, as far as Dagster says."""

    def ref(self, stage: str) -> StageRef:
        """Name a stage of this run."""
        return StageRef(flow=self.flow, key=self.key, stage=stage)

    @property
    def endpoints(self) -> Endpoints:
        """Whom the run's project can ask."""
        return self.deployment.endpoints(self.key.project)

    @property
    def credentials(self) -> Credentials:
        """The provider variables of the run's project."""
        return self.deployment.credentials(self.key.project)
