"""Works off the lines of a batch with the functions that answer live calls, and writes its result file."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import orjson

from eval_pipeline.standins.batch_faults import BatchRule, Scenario
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.faults import CONNECTION_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.gemini.answers import Answerer, Made
from eval_pipeline.standins.gemini.asks import AskReader
from eval_pipeline.standins.gemini.bodies import camel
from eval_pipeline.standins.gemini.embeddings import made_embedding, read_embed
from eval_pipeline.standins.gemini.errors import GeminiError, GeminiRefusedError, fault_error
from eval_pipeline.standins.judge_asks import JudgeAsk, looked_in, passed_over
from eval_pipeline.standins.serving import MALFORMED
from eval_pipeline.standins.spoilt_results import UNKNOWN_ID, SpoiltResults, billed_key, in_order


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiJob:
    """What is to be done with the lines of a batch.

    Args:
        source: The requests.
        output: Where the results go.
        billed: Where it is noted what each executed line asked.
        endpoint: What is asked: ``generate`` or ``embed``.
        model: Whom.
        done: How many lines are executed; all without. The others appear nowhere.
        rule: The scenario.
    """

    source: Path
    output: Path
    billed: Path
    endpoint: str
    model: str
    done: int | None
    rule: BatchRule | None

    def meets(self, scenario: Scenario) -> bool:
        """Tell whether it meets a scenario."""
        return self.rule is not None and self.rule.scenario is scenario


@dataclass(slots=True)
class GeminiResult:
    """What came of it."""

    succeeded: int = 0
    failed: int = 0
    tokens: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """A response, or an error instead; ``asked`` names the input of a line that was executed."""

    response: bytes | None = None
    error: Json | None = None
    tokens: Mapping[str, int] = field(default_factory=dict)
    asked: str = ""

    def line(self, names: Json) -> bytes:
        """Return it as a line of a result file that begins with these names."""
        content = self.response if self.response is not None else orjson.dumps(self.error)
        head = b"".join(b"%b:%b," % (orjson.dumps(key), orjson.dumps(value)) for key, value in names.items())
        return b'{%b"%b":%b}\n' % (head, b"response" if self.error is None else b"error", content)

    def again(self) -> "_Reply":
        """Return the same with another answer, so that one can tell which of the two was taken."""
        changed = (self.response or b"").replace(b'"text":"', b'"text":"Again: ', 1)
        return _Reply(response=None if self.response is None else changed, error=self.error)


class GeminiLineWorker:
    """Answers single lines as the live endpoints would at this moment."""

    def __init__(self, standin: Standin, reader: AskReader, answerer: Answerer) -> None:
        self._standin = standin
        self._reader = reader
        self._answerer = answerer

    def reply(self, job: GeminiJob, request: Json) -> _Reply:
        """Execute the request of a line."""
        try:
            return self._execute(job, camel(request))
        except GeminiRefusedError as error:
            return self._refusal(job, error.error)

    def _execute(self, job: GeminiJob, body: Json) -> _Reply:
        if job.endpoint == "embed":
            embed = read_embed(body)
            rule = self._rule("embed", job.model, embed.text)
            return self._spoilt(job, rule) or _executed(made_embedding(embed, rule), asked=embed.text)
        ask = self._reader.read(job.model, body)
        rule = self._rule("generate", job.model, ask.name, judged=ask.judged)
        if spoilt := self._spoilt(job, rule):
            return spoilt
        if job.meets(Scenario.U2028):
            rule = FaultRule(kind=FaultKind.LINE_SEPARATOR)
        return _executed(self._answerer.make(ask, rule), asked=ask.name)

    def _rule(self, endpoint: str, model: str, text: str, *, judged: JudgeAsk | None = None) -> FaultRule | None:
        able = self._standin.kinds[endpoint] - CONNECTION_FAULTS - passed_over(judged)
        return self._standin.faults.choose(endpoint, [text], able=able, model=model, within=looked_in(judged))

    def _spoilt(self, job: GeminiJob, rule: FaultRule | None) -> _Reply | None:
        if job.meets(Scenario.ALL_BAD_REQUEST):
            rule = FaultRule(kind=FaultKind.BAD_REQUEST, message=job.rule.message if job.rule else None)
        if rule and (error := fault_error(rule)):
            return self._refusal(job, error, message=rule.message)
        return _Reply(response=MALFORMED) if rule and rule.kind is FaultKind.MALFORMED else None

    def _refusal(self, job: GeminiJob, error: GeminiError, *, message: str | None = None) -> _Reply:
        shape = error.rpc_status if job.meets(Scenario.RPC_ERRORS) else error.document
        return _Reply(error=shape(message=message))


def _executed(made: Made, *, asked: str) -> _Reply:
    return _Reply(response=made.body, tokens=made.tokens, asked=asked)


def work_off(job: GeminiJob, worker: GeminiLineWorker) -> GeminiResult:
    """Write the result file; what is not executed is not billed."""
    result = GeminiResult()
    with job.source.open("rb") as lines, job.output.open("wb") as output, job.billed.open("wb") as billed:
        spoilt = SpoiltResults(job.rule, output)
        for place, raw in enumerate(in_order(lines, job.rule)):
            if job.done is None or place < job.done:
                line: JsonDict = orjson.loads(raw)
                reply = worker.reply(job, line["request"])
                _note(result, reply, billed, key=str(_key(line)))
                _write(spoilt, place, line=line, reply=reply)
            else:
                result.failed += 1
        spoilt.finish()
    return result


def _note(result: GeminiResult, reply: _Reply, billed: IO[bytes], *, key: str) -> None:
    if reply.error is not None:
        result.failed += 1
        return
    result.succeeded += 1
    result.tokens.update(reply.tokens)
    entry = {"line": billed_key(key, reply.asked), "asked": reply.asked}
    billed.write(orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE))


def _write(spoilt: SpoiltResults, place: int, *, line: Json, reply: _Reply) -> None:
    names = {name: line[name] for name in ("key", "metadata") if name in line}
    stranger = {"metadata": {"key": UNKNOWN_ID}} if "metadata" in line else {"key": UNKNOWN_ID}
    spoilt.write(
        place,
        reply.line(names),
        again=lambda: reply.again().line(names),
        stranger=lambda: reply.line(stranger),
    )


def _key(line: Json) -> object:
    return line.get("key") or (line.get("metadata") or {}).get("key", "")
