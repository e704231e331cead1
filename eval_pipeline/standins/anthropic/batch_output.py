"""Works off the requests of a batch with the function that answers live calls, and writes its results."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from eval_pipeline.standins.anthropic.asks import ask_of
from eval_pipeline.standins.anthropic.errors import AnthropicError, InvalidBodyError, fault_error
from eval_pipeline.standins.anthropic.messages import Writer
from eval_pipeline.standins.batch_faults import BatchRule, Scenario
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.documents import JsonDict
from eval_pipeline.standins.faults import CONNECTION_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.judge_asks import looked_in, passed_over
from eval_pipeline.standins.spoilt_results import UNKNOWN_ID, SpoiltResults, billed_key, in_order
from eval_pipeline.standins.spoilt_texts import with_separator

BATCH_TIER = "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be done with the requests of a batch.

    Args:
        source: The requests.
        results: Where their results go.
        billed: Where it is noted what each executed request asked.
        done: How many are executed; all without.
        undone: What becomes of the others: ``expired`` or ``canceled``.
        rule: The scenario.
    """

    source: Path
    results: Path
    billed: Path
    done: int | None
    undone: str
    rule: BatchRule | None

    def meets(self, scenario: Scenario) -> bool:
        """Tell whether it meets a scenario."""
        return self.rule is not None and self.rule.scenario is scenario


@dataclass(slots=True)
class Result:
    """What came of it."""

    counts: Counter[str] = field(default_factory=Counter)
    tokens: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Reply:
    result: JsonDict
    tokens: dict[str, int] = field(default_factory=dict)
    text: str = ""

    def line(self, custom_id: str) -> bytes:
        """Return it as a line of results."""
        return orjson.dumps({"custom_id": custom_id, "result": self.result}, option=orjson.OPT_APPEND_NEWLINE)

    def again(self, custom_id: str) -> bytes:
        """Return the same with another answer, so that one can tell which of the two was taken."""
        return self.line(custom_id).replace(b'"text":"', b'"text":"Again: ', 1)


class RequestWorker:
    """Answers single requests as the live endpoint would at this moment."""

    def __init__(self, standin: Standin, writer: Writer) -> None:
        self._standin = standin
        self._writer = writer

    def reply(self, params: JsonDict, *, change: Callable[[str], str] = str) -> _Reply:
        """Execute a request.

        Args:
            params: The request.
            change: What is done to the text of an answer.
        """
        try:
            ask = ask_of(params)
            able = self._standin.kinds["messages"] - CONNECTION_FAULTS - passed_over(ask.judged)
            rule = self._standin.faults.choose(
                "messages", [ask.name], able=able, model=ask.model, within=looked_in(ask.judged)
            )
            if rule and (error := fault_error(rule)):
                return errored(error, message=rule.message)
            fault = None if rule is None else rule.kind
            message, tokens = self._writer.message(ask, fault, tier=BATCH_TIER, change=change)
        except InvalidBodyError as error:
            return errored(error.error)
        if fault is FaultKind.MALFORMED:
            message = {"ok": True}
        return _Reply({"type": "succeeded", "message": message}, tokens, ask.name)


def errored(error: AnthropicError, *, message: str | None = None) -> _Reply:
    """Return the result of a request that failed."""
    return _Reply({"type": "errored", "error": error.document(message=message)})


def work_off(job: Job, worker: RequestWorker) -> Result:
    """Write the results; what is not executed is not billed."""
    result = Result()
    with (
        job.source.open("rb") as lines,
        job.results.open("wb") as output,
        job.billed.open("wb") as billed,
    ):
        spoilt = SpoiltResults(job.rule, output)
        for place, raw in enumerate(in_order(lines, job.rule)):
            request: dict[str, Any] = orjson.loads(raw)
            custom_id = request["custom_id"]
            undone = job.done is not None and place >= job.done
            reply = _Reply({"type": job.undone}) if undone else _reply(job, worker, request["params"])
            kind = str(reply.result["type"])
            result.counts[kind] += 1
            if kind == "succeeded":
                key = billed_key(custom_id, reply.text)
                billed.write(orjson.dumps(key, option=orjson.OPT_APPEND_NEWLINE))
                result.tokens.update(reply.tokens)
            _write(spoilt, place, custom_id=custom_id, reply=reply)
        spoilt.finish()
    return result


def _write(spoilt: SpoiltResults, place: int, *, custom_id: str, reply: _Reply) -> None:
    spoilt.write(
        place,
        reply.line(custom_id),
        again=lambda: reply.again(custom_id),
        stranger=lambda: reply.line(UNKNOWN_ID),
    )


def _reply(job: Job, worker: RequestWorker, params: JsonDict) -> _Reply:
    if job.meets(Scenario.ALL_BAD_REQUEST):
        error = fault_error(FaultRule(kind=FaultKind.BAD_REQUEST))
        if error is not None:
            return errored(error, message=job.rule.message if job.rule else None)
    return worker.reply(params, change=with_separator if job.meets(Scenario.U2028) else str)
