"""A room for panels: a deployment, judges behind real servers, and items that no store holds."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import orjson
import pyarrow as pa

from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.outcomes import ItemRecord
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.progress import Progress
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import Flow, RunMode, RunRecord, RunState
from eval_pipeline.judging.identity import material_fingerprint
from eval_pipeline.judging.material import Material, Part, Speaker
from eval_pipeline.judging.panel import Panel
from eval_pipeline.judging.panel_file import built_in_panel
from eval_pipeline.runs.at_work import at_work
from eval_pipeline.runs.panels.cells import PanelItem
from eval_pipeline.runs.panels.judges import Judges, seat_panel
from eval_pipeline.runs.panels.showing import hits_json
from eval_pipeline.runs.panels.stage import make_judgements, submit_judgements
from eval_pipeline.runs.panels.work import PanelWork
from eval_pipeline.runs.task import Task
from eval_pipeline.session_eval.tables import JUDGEMENTS
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.faults import read_rules
from eval_pipeline.standins.gemini.app import GeminiOptions
from eval_pipeline.standins.gemini.app import create_app as gemini_app
from eval_pipeline.standins.openai.app import OpenAIOptions
from eval_pipeline.standins.openai.app import create_app as openai_app
from eval_pipeline.standins.server import serve
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.storage.records import MOMENT

COLUMNS = pa.schema(
    [field_ for field_ in JUDGEMENTS if not field_.name.startswith("session_")]
    + [pa.field("item_id", pa.string(), nullable=False)]
)
AXES = tuple(built_in_panel("sessions").rubric.axes)
PLAIN_AXES = ("task_complexity", "goal_completion", "efficiency", "communication", "tool_usage_quality")


def said(goal: str, *turns: str) -> Material:
    """Return a conversation that begins with a goal; the assistant answers every other turn."""
    speakers = (Speaker.USER, Speaker.ASSISTANT)
    parts = [Part(place, speakers[place % 2], text) for place, text in enumerate((goal, *turns))]
    return Material({"messages": len(parts)}, parts)


def conversations(count: int) -> dict[str, Material]:
    """Return so many, each about another order."""
    return {
        f"s{number:03d}": said(
            f"Please cancel order {number}.", f"Your order {number} is cancelled.", "Thanks.", "You are welcome."
        )
        for number in range(count)
    }


@dataclass(frozen=True)
class Servers:
    """The judges behind two endpoints."""

    openai_url: str
    gemini_url: str
    openai: Standin
    gemini: Standin

    def environ(self) -> dict[str, str]:
        """Return the variables that name them."""
        return {
            "OPENAI_BASE_URL": f"{self.openai_url}/v1",
            "OPENAI_API_KEY": "sk-x",
            "GOOGLE_GEMINI_BASE_URL": self.gemini_url,
            "GEMINI_API_KEY": "g-x",
        }

    @contextmanager
    def going_wrong(self, *rules: Mapping[str, Any], gemini: Sequence[Mapping[str, Any]] = ()) -> Iterator[None]:
        """Let requests meet faults for the time of a ``with``."""
        self.openai.set_rules(read_rules([dict(rule) for rule in rules]))
        self.gemini.set_rules(read_rules([dict(rule) for rule in gemini]))
        try:
            yield
        finally:
            self.openai.set_rules(())
            self.gemini.set_rules(())

    def requests(self) -> int:
        """Return how many requests to judge came so far, live ones and those in batches."""
        return self.asked().total()

    def asked(self) -> Counter[str]:
        """Return how often each live request came."""
        # Copied in one step each: the servers' threads count on while a test looks.
        return Counter(dict(self.openai.counts["responses"].asked)) + Counter(
            dict(self.gemini.counts["generate"].asked)
        )

    def in_batches(self) -> dict[str, int]:
        """Return how many batches were created at both, and how many of their lines were executed."""
        told = [json.load(urlopen(f"{url}/__standin__/counts?detail=1")) for url in (self.openai_url, self.gemini_url)]
        return {name: sum(one["batches"][name] for one in told) for name in ("created", "executed")}

    def reset(self) -> None:
        """Count from zero."""
        self.openai.counts.reset()
        self.gemini.counts.reset()


@contextmanager
def judge_servers(*, latency_s: float = 0.0) -> Iterator[Servers]:
    """Run both stand-ins."""
    first, second = openai_app(OpenAIOptions(latency_s=latency_s)), gemini_app(GeminiOptions(latency_s=latency_s))
    with serve(first) as openai_url, serve(second) as gemini_url:
        yield Servers(openai_url, gemini_url, first.state.standin, second.state.standin)


class Watching:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[JsonDict] = []

    def update(self, *, stage: str, done: int, failed: int, total: int, cost_usd: Decimal | None) -> None:
        """Keep it."""
        self.told.append({"stage": stage, "done": done, "failed": failed, "total": total, "cost_usd": cost_usd})


@dataclass
class Room:
    """One deployment."""

    deployment: Deployment
    servers: Servers
    panel: Panel = field(default_factory=lambda: built_in_panel("sessions"))
    said: list[str] = field(default_factory=list)

    def judges(self, mode: RunMode, *, samples: int = 1) -> Judges:
        """Seat the panel."""
        endpoints = self.deployment.endpoints("default")
        return seat_panel(self.panel, endpoints=endpoints, mode=mode, samples=samples, seed=1)

    def claim(self, name: str, *, mode: RunMode = RunMode.FAST, **changes: Any) -> RunRecord:  # noqa: ANN401 - fields
        """Claim a run, unless there is one of that name."""
        key = RunKey(project="default", run=name)
        found = self.deployment.ledger.find_run(flow=Flow.SESSIONS, key=key)
        if found is not None:
            return found
        judges = self.judges(mode)
        endpoints = self.deployment.endpoints("default")
        frozen = endpoints.frozen([(seat.endpoint, seat.model) for seat in judges.seats])
        spec = {"judges": judges.to_json(), "endpoints": {name: one.to_json() for name, one in frozen.items()}}
        return self.deployment.ledger.claim_run(
            RunRecord(
                key=key,
                flow=Flow.SESSIONS,
                state=RunState.REQUESTED,
                spec=spec,
                spec_hash="a" * 64,
                dataset_name="sessions",
                dataset_version="b" * 64,
                mode=mode,
                requested_by="a test",
                created_at=MOMENT,
                updated_at=MOMENT,
                worker=self.deployment.worker,
                **changes,
            )
        )

    def task(self, run: RunRecord, progress: Progress | None = None, **more: Any) -> Task:  # noqa: ANN401 - fields
        """Return what a stage's work is given."""
        return Task(
            self.deployment,
            Flow.SESSIONS,
            run.key,
            dagster_run_id=more.pop("dagster_run_id", "a-run"),
            retried_run_id=None,
            progress=progress or Watching(),
            say=self.said.append,
            **more,
        )

    def work(
        self,
        run: RunRecord,
        items: Mapping[str, Material],
        *,
        concurrency: int = 8,
        window_tokens: int | None = None,
        canaries: bool = False,
        samples: int = 1,
        failure_threshold: float = 0.5,
    ) -> PanelWork:
        """Say what is judged; without canaries the items' main axis is rated as always, and nothing is planted."""
        judges = self.judges(run.mode, samples=samples)
        if window_tokens is not None:
            seats = tuple(replace(seat, window_tokens=window_tokens) for seat in judges.seats)
            judges = replace(judges, seats=seats)
        if not canaries:
            judges = replace(judges, canaries=0)
        endpoints = self.deployment.endpoints("default")
        return PanelWork(
            stage="judgements",
            judges=judges,
            endpoints=endpoints.frozen([(seat.endpoint, seat.model) for seat in judges.seats]),
            mode=run.mode,
            concurrency=concurrency,
            failure_threshold=failure_threshold,
            items=[panel_item(name, material) for name, material in items.items()],
            material=lambda item: items[item.item_id],
            row=row_of,
        )

    def judge(
        self,
        items: Mapping[str, Material],
        name: str = "first",
        *,
        mode: RunMode = RunMode.FAST,
        progress: Progress | None = None,
        refresh: bool = False,
        run_changes: Mapping[str, Any] | None = None,
        **more: Any,  # noqa: ANN401 - fields of the work
    ) -> StageReader | None:
        """Have items judged, as the two stages of a flow do."""
        run = self.claim(name, mode=mode, **(run_changes or {}))
        task = self.task(run, progress, refresh=refresh)
        work = lambda run: self.work(run, items, **more)  # noqa: E731 - one line
        sessions = self.plain_stage(task, "sessions")
        submitted = submit_judgements(task, "judgement_batch", inputs={"sessions": sessions}, work=work)
        return self.collect(items, name, progress=progress, refresh=refresh, submitted=submitted, **more)

    def collect(
        self,
        items: Mapping[str, Material],
        name: str = "first",
        *,
        progress: Progress | None = None,
        refresh: bool = False,
        submitted: StageReader | None = None,
        **more: Any,  # noqa: ANN401 - fields of the work
    ) -> StageReader | None:
        """Make the stage of the judgements alone."""
        run = self.claim(name)
        task = self.task(run, progress, refresh=refresh)
        stages = self.deployment.stages
        return make_judgements(
            task,
            "judgements",
            schema=COLUMNS,
            made_from=stages.open(task.ref("sessions")),
            submitted=submitted or stages.open(task.ref("judgement_batch")),
            work=lambda run: self.work(run, items, **more),
        )

    def plain_stage(self, task: Task, name: str) -> StageReader:
        """Return a stage that holds nothing, made where it is not there."""
        ref = task.ref(name)
        found = self.deployment.stages.find(ref)
        if found is not None:
            return found
        with at_work(self.deployment, ref, schema=None) as stage:
            stage.files.finish({})
        return self.deployment.stages.open(ref)


def panel_item(name: str, material: Material) -> PanelItem:
    """Return an item of some material."""
    return PanelItem(
        item_id=name,
        fingerprint=material_fingerprint(material),
        axes=PLAIN_AXES,
        flagged=bool(hits_json(material)),
        characters=sum(60 + len(part.head) + len(part.text) for part in material.parts),
    )


def row_of(item: PanelItem, row: Row) -> JsonDict:
    """Return a row of the tests' own table."""
    from datetime import datetime  # noqa: PLC0415 - here alone

    cost = row["cost_usd"]
    return {
        **row,
        "item_id": item.item_id,
        "cost_usd": None if cost is None else Decimal(cost),
        "created_at": datetime.fromisoformat(row["created_at"]),
    }


def rows_of(stage: StageReader | None) -> list[JsonDict]:
    """Return all rows of a stage that is whole."""
    assert stage is not None
    return [{**row, "axes": orjson.loads(row["axes"])} for row in stage.rows()]


def paid(stage: StageReader | None) -> PaidSummary:
    """Return what a stage that is whole came to."""
    assert stage is not None
    return PaidSummary.of(stage.manifest)


def nothing(_: ItemRecord) -> None:
    """Do nothing."""


@contextmanager
def room(folder: Path, servers: Servers, **environ: str) -> Iterator[Room]:
    """Give a room with a home of its own."""
    deployment = Deployment(
        environ={
            "EVAL_PIPELINE_HOME": str(folder / "home"),
            **servers.environ(),
            "EVAL_BATCH_POLL_SECONDS": "0.1",
            **environ,
        }
    )
    try:
        yield Room(deployment, servers)
    finally:
        deployment.close()
