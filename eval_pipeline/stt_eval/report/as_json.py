"""The report for programs: all figures of the run, then one line a result, written while the samples go by."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO, Final

import orjson

from eval_pipeline.core.documents import JsonDict, Row
from eval_pipeline.core.runs import RunState
from eval_pipeline.stt_eval.report.data import SpeechReportData
from eval_pipeline.stt_eval.verdicts.run_agreement import RunAgreement

SCHEMA: Final = "eval_pipeline.stt_report/1"


class ResultLines:
    """Appends results to an open document."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._separator = b"\n"

    def add(self, row: Row) -> None:
        """Write one result; all of its columns."""
        self._file.write(self._separator + orjson.dumps(row, default=_plain))
        self._separator = b",\n"


@contextmanager
def open_results(path: Path, data: SpeechReportData) -> Iterator[ResultLines]:
    """Write the document around its results: one JSON object, in which ``results`` comes last."""
    with path.open("xb") as file:
        head = orjson.dumps(_run_facts(data), default=_plain, option=orjson.OPT_INDENT_2)
        file.write(head.removesuffix(b"\n}") + b',\n  "results": [')
        yield ResultLines(file)
        file.write(b"\n]}\n")


def _run_facts(data: SpeechReportData) -> JsonDict:
    run = data.run
    return {
        "schema": SCHEMA,
        "run": run.key.partition,
        "state": str(_state_told(data)),
        "requested_by": run.requested_by,
        "requested_at": run.created_at,
        "written_at": data.written_at,
        "spec": data.spec.to_json(),
        "spec_hash": run.spec_hash,
        "threshold": data.threshold.to_json(),
        "figures": data.figures,
        "cost": data.cost.to_json(),
        "agreement": None if data.agreement is None else _agreement(data.agreement),
        "stages": [asdict(stage) for stage in data.stages],
    }


def _state_told(data: SpeechReportData) -> RunState:
    """Return the state that the run has once its report is there: while it is written the run is still running."""
    if data.run.state is not RunState.RUNNING:
        return data.run.state
    return RunState.FAILED if data.threshold.breached else RunState.COMPLETED


def _agreement(agreement: RunAgreement) -> JsonDict:
    return {
        "overall": asdict(agreement.overall),
        "models": {model: asdict(one) for model, one in agreement.models.items()},
        "stale": agreement.stale,
        "without_rate": agreement.without_rate,
    }


def _plain(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
