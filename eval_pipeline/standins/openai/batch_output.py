"""Works off the lines of a batch with the functions that answer live calls, and writes its two result files."""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson

from eval_pipeline.standins.batch_faults import BatchRule, Scenario
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.faults import CONNECTION_FAULTS, FaultKind, FaultRule
from eval_pipeline.standins.judge_answers import Judge
from eval_pipeline.standins.judge_asks import JudgeAsk, looked_in, passed_over
from eval_pipeline.standins.openai import embeddings
from eval_pipeline.standins.openai.answers import Make, completion_maker, embedding_maker, response_maker
from eval_pipeline.standins.openai.asks import read_ask
from eval_pipeline.standins.openai.bodies import InvalidBodyError
from eval_pipeline.standins.openai.chat_asks import read_chat
from eval_pipeline.standins.openai.dialects import Dialect
from eval_pipeline.standins.openai.errors import fault_error
from eval_pipeline.standins.replay import Recordings
from eval_pipeline.standins.serving import MALFORMED
from eval_pipeline.standins.spoilt_results import UNKNOWN_ID, SpoiltResults, billed_key, in_order
from eval_pipeline.standins.spoilt_texts import with_separator

EXPIRED = "batch_expired"
CANCELLED = "batch_cancelled"
_UNDONE = {
    EXPIRED: "This request could not be executed before the completion window expired.",
    CANCELLED: "This request was not executed because the batch was cancelled.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be done with an input file.

    Args:
        source: The input file.
        output: Where the answers go.
        errors: Where the errors go.
        billed: Where it is noted what each executed line asked.
        endpoint: What the batch asks.
        done: How many lines are executed; all without.
        undone: The code that the others get.
        rule: The scenario.
    """

    source: Path
    output: Path
    errors: Path
    billed: Path
    endpoint: str
    done: int | None
    undone: str
    rule: BatchRule | None

    def meets(self, scenario: Scenario) -> bool:
        """Tell whether it meets a scenario."""
        return self.rule is not None and self.rule.scenario is scenario


@dataclass(slots=True)
class Result:
    """What came of it."""

    completed: int = 0
    failed: int = 0
    undone: int = 0
    tokens: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes
    tokens: dict[str, int] = field(default_factory=dict)
    text: str = ""

    def again(self) -> "_Reply":
        """Return the same with another answer, so that one can tell which of the two was taken."""
        for name in (b'"text":"', b'"content":"'):
            if name in self.body:
                return replace(self, body=self.body.replace(name, name + b"Again: ", 1))
        return self

    def line(self, custom_id: str) -> bytes:
        """Return it as a line of a result file; the body stands in it as it would be sent."""
        head = orjson.dumps(
            {"id": _line_id(), "custom_id": custom_id, "response": {"status_code": self.status}},
        )[:-2]
        request_id = secrets.token_hex(16).encode()
        return b'%b,"request_id":"%b","body":%b},"error":null}\n' % (head, request_id, self.body)


def _line_id() -> str:
    return f"batch_req_{secrets.token_hex(12)}"


def _undone_line(custom_id: str, code: str) -> bytes:
    error = {"code": code, "message": _UNDONE[code]}
    return _plain_line({"id": _line_id(), "custom_id": custom_id, "response": None, "error": error})


def _plain_line(document: object) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)


class LineWorker:
    """Answers single lines as the live endpoints would at this moment."""

    def __init__(
        self, standin: Standin, recordings: Recordings, *, judge: Judge, dialect: Dialect = Dialect.OPENAI
    ) -> None:
        self._standin = standin
        self._judge = judge
        self._recordings = recordings
        self._dialect = dialect

    def reply(self, endpoint: str, body: object, *, change: Callable[[str], str] = str) -> _Reply:
        """Execute the request of a line.

        Args:
            endpoint: What is asked.
            body: The request.
            change: What is done to the text of an answer.
        """
        raw = orjson.dumps(body)
        try:
            if endpoint == "/v1/embeddings":
                request = embeddings.read_request(raw, self._dialect)
                return self._answer("embeddings", request.model, list(request.texts), make=embedding_maker(request))
            if endpoint == "/v1/chat/completions":
                chat = read_chat(raw, self._dialect)
                make = completion_maker(chat, self._recordings, dialect=self._dialect, judge=self._judge, change=change)
                return self._answer("chat", chat.model, [chat.name], make=make, judged=chat.judged)
            ask = read_ask(raw)
            make = response_maker(ask, self._recordings, judge=self._judge, change=change)
            return self._answer("responses", ask.model, [ask.name], make=make, judged=ask.judged)
        except InvalidBodyError as error:
            return _Reply(error.error.status, orjson.dumps(error.error.document()))

    def _answer(
        self, endpoint: str, model: str, texts: list[str], *, make: Make, judged: JudgeAsk | None = None
    ) -> _Reply:
        able = self._standin.kinds[endpoint] - CONNECTION_FAULTS - passed_over(judged)
        rule = self._standin.faults.choose(endpoint, texts, able=able, model=model, within=looked_in(judged))
        if rule and (error := fault_error(rule)):
            return _Reply(error.status, orjson.dumps(error.document(message=rule.message)))
        if rule and rule.kind is FaultKind.MALFORMED:
            return _Reply(HTTPStatus.OK, MALFORMED)
        made = make(rule)
        return _Reply(HTTPStatus.OK, made.body, dict(made.tokens), "\n".join(texts))


def work_off(job: Job, worker: LineWorker) -> Result:
    """Write both result files; what is not executed is not billed."""
    result = Result()
    with (
        job.source.open("rb") as lines,
        job.output.open("wb") as output,
        job.errors.open("wb") as errors,
        job.billed.open("wb") as billed,
    ):
        spoilt = SpoiltResults(job.rule, output)
        for place, raw in enumerate(in_order(lines, job.rule)):
            line: dict[str, Any] = orjson.loads(raw)
            if job.done is not None and place >= job.done:
                errors.write(_undone_line(line["custom_id"], job.undone))
                result.undone += 1
                continue
            reply = _reply(job, worker, line["body"])
            if reply.status == HTTPStatus.OK:
                key = billed_key(line["custom_id"], reply.text)
                billed.write(_plain_line(key))
                result.completed += 1
                result.tokens.update(reply.tokens)
                _write(spoilt, place, custom_id=line["custom_id"], reply=reply)
            else:
                result.failed += 1
                errors.write(reply.line(line["custom_id"]))
        spoilt.finish()
    return result


def _write(spoilt: SpoiltResults, place: int, *, custom_id: str, reply: _Reply) -> None:
    spoilt.write(
        place,
        reply.line(custom_id),
        again=lambda: reply.again().line(custom_id),
        stranger=lambda: reply.line(UNKNOWN_ID),
    )


def _reply(job: Job, worker: LineWorker, body: object) -> _Reply:
    if job.meets(Scenario.ALL_BAD_REQUEST):
        error = fault_error(FaultRule(kind=FaultKind.BAD_REQUEST))
        words = job.rule.message if job.rule else None
        return _Reply(HTTPStatus.BAD_REQUEST, orjson.dumps(error.document(message=words) if error else None))
    change = with_separator if job.meets(Scenario.U2028) else str
    return worker.reply(job.endpoint, body, change=change)
