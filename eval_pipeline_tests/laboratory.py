"""The text job in this process, on a home and a Dagster instance of its own, with the stand-in as provider."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.ports.progress import Progress
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import Flow, RunRecord, RunState
from eval_pipeline.core.stages import StageRef
from eval_pipeline.defs.build import build_definitions
from eval_pipeline.defs.instance import open_instance
from eval_pipeline.defs.resources import make_s3_client
from eval_pipeline.runs.life import find_run
from eval_pipeline.storage.journal import Journal
from eval_pipeline.text_eval.catalog import add_dataset
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.providing import Provider

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
FAST: Mapping[str, Any] = {"dataset": "golden", "mode": "fast"}
GOLDEN = "question,answer,category\nWhat is 2 + 2?,4,sums\nCapital of France?,Paris,places\nWhat is 6 * 7?,42,sums\n"


class Silence:
    """Progress that nobody watches."""

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        """Say nothing."""


class Stop(Silence):
    """Raises as soon as a stage has got so far, as a signal does in the middle of the work."""

    def __init__(self, stage: str, *, after: int, error: BaseException) -> None:
        self._stage = stage
        self._after = after
        self._error = error

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        """Raise when it is time."""
        del failed, total, cost_usd
        if stage == self._stage and done >= self._after:
            raise self._error


@dataclass(frozen=True, slots=True)
class Made:
    """What one Dagster run came to."""

    result: dg.ExecuteInProcessResult

    @property
    def success(self) -> bool:
        """Whether the Dagster run succeeded."""
        return self.result.success

    @property
    def stages(self) -> list[str]:
        """The stages that were materialized, in order."""
        return [event.asset_key.path[-1] for event in self._materializations() if event.asset_key]

    def metadata(self, stage: str) -> Mapping[str, Any]:
        """Return the metadata of a stage's last materialization, as plain values."""
        return {name: value.value for name, value in self.raw_metadata(stage).items()}

    def raw_metadata(self, stage: str) -> Mapping[str, dg.MetadataValue]:
        """Return the metadata of a stage's last materialization."""
        events = [event for event in self._materializations() if event.asset_key and event.asset_key.path[-1] == stage]
        return events[-1].step_materialization_data.materialization.metadata

    def _materializations(self) -> list[dg.DagsterEvent]:
        return [event for event in self.result.all_events if event.is_step_materialization]

    @property
    def failures(self) -> dict[str, str | None]:
        """Failed step to the code of its error; None for an error that is not explained."""
        steps = [event for event in self.result.all_events if event.is_step_failure]
        said = {event.step_key or "": event.step_failure_data.user_failure_data for event in steps}
        return {
            step.removeprefix("text_eval__"): str(data.metadata["code"].value) if data else None
            for step, data in said.items()
        }

    @property
    def failure(self) -> Mapping[str, str]:
        """Code, message and hint of the only failure."""
        [event] = [event for event in self.result.all_events if event.is_step_failure]
        data = event.step_failure_data.user_failure_data
        assert data, event.step_failure_data.error
        return {name: str(value.value) for name, value in data.metadata.items()}

    def check(self, stage: str) -> dg.AssetCheckEvaluation:
        """Return how the threshold check of a stage went."""
        [found] = [check for check in self.result.get_asset_check_evaluations() if check.asset_key.path[-1] == stage]
        return found


class Laboratory:
    """One deployment, one instance, one provider."""

    def __init__(self, deployment: Deployment, *, instance: dg.DagsterInstance, provider: Provider) -> None:
        self.deployment = deployment
        self.instance = instance
        self.provider = provider

    def materialize(
        self,
        partition: str,
        *,
        config: Mapping[str, Any] | None = None,
        stages: Sequence[str] = (),
        refresh: Sequence[str] = (),
        progress: Progress | None = None,
        deployment: Deployment | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Made:
        """Do what Materialize does in the Dagster UI, in this process."""
        used = deployment or self.deployment
        definitions = build_definitions(open_it=lambda: used, progress=progress or Silence())
        self.instance.add_dynamic_partitions("text_runs", [partition])
        ops: dict[str, Any] = {f"text_eval__{stage}": {"config": {"refresh": True}} for stage in refresh}
        if config is not None:
            ops["text_eval__spec"] = {"config": dict(config)}
        return Made(
            definitions.resolve_job_def("text_eval").execute_in_process(
                instance=self.instance,
                partition_key=partition,
                run_config={**QUIET, "ops": ops},
                asset_selection=[dg.AssetKey(["text_eval", stage]) for stage in stages] or None,
                raise_on_error=False,
                tags=dict(tags or {}),
            )
        )

    def run(self, partition: str) -> RunRecord:
        """Return the ledger's row."""
        return find_run(self.deployment, flow=Flow.TEXT, key=RunKey.from_partition(partition))

    def state(self, partition: str) -> RunState:
        """Return where the ledger says that the run stands."""
        return self.run(partition).state

    def ref(self, partition: str, stage: str) -> StageRef:
        """Name a stage."""
        return StageRef(flow=Flow.TEXT, key=RunKey.from_partition(partition), stage=stage)

    def stored(self, partition: str, stage: str) -> StageReader:
        """Return a finished stage."""
        return self.deployment.stages.open(self.ref(partition, stage))

    def journal(self, partition: str, stage: str) -> Journal:
        """Return a stage's checkpoints."""
        return Journal(self.deployment.objects, self.ref(partition, stage))

    @contextmanager
    def endpoints_of(self, file: Path) -> Iterator[Deployment]:
        """Open the same home once more, with a file of endpoints."""
        home = self.deployment.home
        deployment = open_deployment(home, self.provider, EVAL_ENDPOINTS_FILE=str(file), EVAL_BATCH_POLL_SECONDS="0.1")
        try:
            yield deployment
        finally:
            deployment.close()

    def add_golden(self, folder: Path, text: str = GOLDEN, *, name: str = "golden") -> None:
        """Add a dataset."""
        file = folder / f"{name}.csv"
        file.write_text(text, encoding="utf-8")
        add_dataset(
            ledger=self.deployment.ledger,
            objects=self.deployment.objects,
            project="default",
            name=name,
            path=file,
            duplication_factor=None,
            description=None,
            settings=self.deployment.settings,
        )


def open_deployment(home: Path, provider: Provider, **variables: str) -> Deployment:
    """Open a deployment that sees nothing of the developer's own environment."""
    named = {"EVAL_PIPELINE_HOME": str(home), "OPENAI_API_KEY": "any", "OPENAI_BASE_URL": provider.base_url}
    return Deployment(environ={**named, **variables}, make_s3_client=make_s3_client)


@contextmanager
def open_laboratory(home: Path, provider: Provider, **variables: str) -> Iterator[Laboratory]:
    """Open a laboratory in a home, with the golden dataset in it."""
    if "EVAL_PIPELINE_DATABASE_URL" not in variables:  # where the ledger lies elsewhere, a home has none
        furnish(home)
    deployment = open_deployment(home, provider, **variables)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("EVAL_PIPELINE_HOME", str(home))
        environment.delenv("DAGSTER_HOME", raising=False)
        instance = open_instance()
    with instance:
        laboratory = Laboratory(deployment, instance=instance, provider=provider)
        laboratory.add_golden(home)
        try:
            yield laboratory
        finally:
            deployment.close()
