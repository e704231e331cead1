"""What a flow declares, once, as frozen data; Dagster and the command line are made from it.

A flow is the package of its name. Its declaration is ``PLAN`` in its module ``flow``, which imports nothing heavy; its
work is found by name when it is needed: ``stages/{name}.py`` with ``make``, and ``prepare``, ``estimate``, ``view`` and
``breached`` beside them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from eval_pipeline.core.checks import CheckOutcome
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.options import RunOption
from eval_pipeline.core.runs import Flow

if TYPE_CHECKING:
    from eval_pipeline.core.names import RunKey
    from eval_pipeline.core.ports.stage_files import StageReader
    from eval_pipeline.runs.claims import FrozenSpec, Pinned, Prepared
    from eval_pipeline.runs.task import Task
    from eval_pipeline.wiring.deployment import Deployment

FLOWS: Mapping[Flow, str] = MappingProxyType({flow: f"eval_pipeline.{flow}" for flow in Flow})
"""Where every flow lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asks:
    """What a stage asks: every row of an earlier stage, once or several times, with one record of its journal each."""

    rows_of: str
    """The earlier stage."""
    each: Callable[[Json], int] = lambda _: 1
    """How often each row is asked, told by the frozen specification: of several models, once each."""
    counts: Callable[[str], bool] = lambda _: True
    """Which records of the journal count, by their ids: where a row takes several requests, one of them does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """That a stage pays providers: it may wait for their batches, is made again with care, and is judged."""

    pool: str | Callable[[Json], str]
    """How many runs may be at it at once is configured in Dagster under this name; told by the frozen specification
    where that says which provider is asked."""
    threshold: str
    """What the check of its failures says of itself."""
    asks: Asks | None = None
    """What it asks, so that `run status` tells how far it is; None where its journal is kept otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Something that a stage looks at when it is made: an asset check, which warns and stops nothing.

    ``make`` keeps what it came to in the summary (``core.checks``).
    """

    name: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage: an asset, the module of its name with ``make``, and a folder in the store."""

    name: str
    says: str
    inputs: tuple[str, ...] = ()
    """Earlier stages that it is made from, as ``make`` takes them."""
    optional: tuple[str, ...] = ()
    """Those of them that it can do without: ``make`` is given None."""
    kinds: tuple[str, ...] = ("parquet",)
    """What Dagster shows of how it is made."""
    options: tuple[RunOption, ...] = ()
    """What a person may set when it is made; for the first stage: what a run is."""
    form: str = ""
    """What the Launchpad says of its options as a whole."""
    paid: Paid | None = None
    submits_for: str | None = None
    """The paid stage whose batches it submits."""
    may_be_left_out: bool = False
    """Whether ``make`` may return None although nothing is waited for."""
    checks: tuple[Check, ...] = ()
    """What it looks at beside its failures."""

    @property
    def may_yield_nothing(self) -> bool:
        """Whether Dagster must do without it now and then."""
        return self.may_be_left_out or self.paid is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is told of all runs of a project together: an asset without partitions, the module of its name in ``views``.

    It holds nothing of its own: whenever it is made, it tells what the ledger knows at that moment.
    """

    name: str
    says: str
    inputs: tuple[str, ...]
    """Stages whose results it tells of."""
    options: tuple[RunOption, ...]
    """What a person may set; the project among it."""
    form: str
    """What the Launchpad says of its options as a whole."""
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewed:
    """What a view came to."""

    summary: JsonDict
    """What Dagster shows; ``markdown`` as such."""
    document: JsonDict
    """All of it, as it is stored."""
    checks: Mapping[str, CheckOutcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandWords:
    """What the command line says of a flow's verbs."""

    run: str
    detail: str
    export: str
    rescore: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowPlan:
    """A flow as it is declared."""

    flow: Flow
    command: str
    """Its group on the command line; its runs are the Dagster partitions ``{command}_runs``."""
    title: str
    says: str
    """What its Dagster job does."""
    words: CommandWords
    stages: tuple[Stage, ...]
    """In the order in which data goes through them. The first one claims and freezes the run."""
    rescore_from: str
    """The first of the stages that are made anew, for free, from what was paid for."""
    budget: bool = False
    """Whether a run may have a limit of cost."""
    export_shapes: tuple[str, ...] = ()
    """Ways to write an export, the usual one first, where there are several."""
    views: tuple[View, ...] = ()
    """What is told of all runs together."""
    verbs: tuple[str, ...] = ("run", "show", "rescore", "export")
    """What the overview of the command line names; ``cli/{command}.py``, where there is one, adds its own."""

    @property
    def options(self) -> tuple[RunOption, ...]:
        """What a person may set of a run."""
        return self.stages[0].options

    @property
    def stage_names(self) -> tuple[str, ...]:
        """The names of all stages, in order."""
        return tuple(stage.name for stage in self.stages)

    @property
    def paid_stages(self) -> tuple[str, ...]:
        """The stages that pay."""
        return tuple(stage.name for stage in self.stages if stage.paid is not None)

    def stage(self, name: str) -> Stage:
        """Return a stage."""
        return self.stages[self.stage_names.index(name)]

    def stages_from(self, name: str) -> tuple[str, ...]:
        """Return the names of a stage and all that come after it."""
        return self.stage_names[self.stage_names.index(name) :]

    def submitting(self, collecting: str) -> str:
        """Return the stage that submits the batches of a paid one."""
        [name] = [stage.name for stage in self.stages if stage.submits_for == collecting]
        return name


@cache
def plan_of(flow: Flow) -> FlowPlan:
    """Read a flow's declaration."""
    plan: FlowPlan = import_module(f"{FLOWS[flow]}.flow").PLAN
    return plan


def plans() -> tuple[FlowPlan, ...]:
    """Read the declarations of all flows."""
    return tuple(plan_of(flow) for flow in Flow)


class Make(Protocol):
    """Makes a stage of a run; None while it waits for its provider, or where the run goes without it."""

    def __call__(self, task: "Task", /, **inputs: "StageReader | None") -> "StageReader | None":
        """Make it from its inputs."""


class ViewOfRunsModule(Protocol):
    """``views/{name}.py``."""

    def make(self, deployment: "Deployment", given: Json, /) -> Viewed:
        """Read what is known now."""


class StageModule(Protocol):
    """``stages/{name}.py``."""

    make: Make


@runtime_checkable
class ChecksWhatIsGiven(Protocol):
    """``stages/{name}.py`` of a stage that can tell what it cannot use before it is made."""

    def check(self, given: Json, /) -> None:
        """Refuse what a person set."""


class PrepareModule(Protocol):
    """``prepare.py``."""

    def prepare_given(
        self, given: Json, /, *, project: str, run: str, deployment: "Deployment", needs_key: bool = True
    ) -> "Prepared[FrozenSpec, Pinned]":
        """Check what a person set against datasets and settings; nothing is paid, nothing is written."""


class EstimateModule(Protocol):
    """``estimate.py``."""

    def estimate_run(self, prepared: "Prepared[Any, Any]", /, *, deployment: "Deployment") -> JsonDict:
        """Say what a run would cost."""


@runtime_checkable
class WarnsBefore(Protocol):
    """``estimate.py`` of a flow that can tell before a run what will be off about it."""

    def warnings_of(self, prepared: "Prepared[Any, Any]", /, *, deployment: "Deployment") -> list[dict[str, str]]:
        """Return code, message and hint of each."""


class ViewModule(Protocol):
    """``view.py``."""

    def show_run(self, deployment: "Deployment", key: "RunKey", /, *, detail: bool) -> JsonDict:
        """Return the run as a JSON document."""

    def export_run(self, deployment: "Deployment", key: "RunKey", /, *, output: Path, bom: bool, **shape: str) -> int:
        """Write the run's items to a file, in a shape where there are several; returns the rows written."""


class BreachedModule(Protocol):
    """``breached.py``, of flows that pay."""

    def write_breached(self, task: "Task", /) -> "dict[str, StageReader]":
        """Write what a run that missed its threshold still tells; returns what was made, by stage."""


def stage_module(flow: Flow, stage: str) -> StageModule:
    """Import the work of a stage."""
    module: StageModule = import_module(f"{FLOWS[flow]}.stages.{stage}")
    return module


def view_of_runs_module(flow: Flow, view: str) -> ViewOfRunsModule:
    """Import what a view of all runs tells."""
    module: ViewOfRunsModule = import_module(f"{FLOWS[flow]}.views.{view}")
    return module


def prepare_module(flow: Flow) -> PrepareModule:
    """Import how a flow's runs begin."""
    module: PrepareModule = import_module(f"{FLOWS[flow]}.prepare")
    return module


def estimate_module(flow: Flow) -> EstimateModule:
    """Import what a flow's runs would cost."""
    module: EstimateModule = import_module(f"{FLOWS[flow]}.estimate")
    return module


def view_module(flow: Flow) -> ViewModule:
    """Import how a flow's runs are read."""
    module: ViewModule = import_module(f"{FLOWS[flow]}.view")
    return module


def breached_module(flow: Flow) -> BreachedModule:
    """Import what a flow's runs tell that missed their threshold."""
    module: BreachedModule = import_module(f"{FLOWS[flow]}.breached")
    return module
