"""A team's own assistant as a model under test: asked by a template, waited for, read by paths."""

import asyncio
from dataclasses import replace
from time import monotonic
from typing import Final
from urllib.parse import urljoin, urlsplit

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import AccountFault, Attempt, AttemptOutcome, ItemError, Usage
from eval_pipeline.core.retry import is_transient
from eval_pipeline.core.turns import turns_of
from eval_pipeline.providers.headers import Headers, content_type, retry_after_s
from eval_pipeline.providers.http.bot import Bot, Waiting
from eval_pipeline.providers.http.connection import HttpConnection, is_same_place
from eval_pipeline.providers.http.paths import PathError, count_at, passages_at, text_at, word_at
from eval_pipeline.providers.http.template import Filled, fill_request
from eval_pipeline.providers.json_text import read_json
from eval_pipeline.providers.reading import UNREADABLE, kept, read_answer
from eval_pipeline.providers.transport import RawReply
from eval_pipeline.providers.words import malformed, read_words, unreadable

_ERRORS_FROM: Final = 300
_NO_CONTENT: Final = 204
_ACCEPTED: Final = 202
_THROTTLED: Final = 429
_PAYMENT: Final = 402
_NOT_ALLOWED: Final = frozenset({401, 403})
_NOT_THERE: Final = frozenset({404, 405, 410})
_LONGEST_WAIT_S: Final = 60.0


class HttpAnswerer:
    """The bot of one endpoint.

    Args:
        connection: open.
        bot: how it is asked and read.
    """

    def __init__(self, connection: HttpConnection, bot: Bot) -> None:
        self._connection = connection
        self._bot = bot

    async def ask(self, body: Json) -> Attempt:
        """Send one item's request and read what comes back, however long that takes."""
        started_s = monotonic()
        request = fill_request(self._bot.request, item_of(body))
        reply = await self._connection.send(request)
        wait = self._bot.wait
        if isinstance(reply, RawReply) and wait is not None and reply.http_status < _ERRORS_FROM:
            reply = await self._wait(wait, request, reply, started_s=started_s)
        if not isinstance(reply, RawReply):
            return replace(reply, latency_s=monotonic() - started_s)
        attempt = read_answer(self._parse, reply.http_status, reply.content, reply.headers)
        return replace(attempt, latency_s=monotonic() - started_s)

    def _parse(self, http_status: int, body: bytes, headers: Headers) -> Attempt:
        return parse_bot_answer(http_status, body, headers, bot=self._bot)

    async def _wait(self, wait: Waiting, request: Filled, reply: RawReply, *, started_s: float) -> RawReply | Attempt:
        """Look until the bot has done its work; the question itself is never sent a second time."""
        look: Filled | None = None
        while (state := _state(reply, wait)) is not None:
            if isinstance(state, Attempt):
                return state
            look = _look(request, reply, wait) or look
            if look is None:
                place = wait.poll_url or "the Location header"
                return _failed("no_poll_url", f"{place} names no http address to look for the answer")
            pause_s = _pause_s(reply, wait)
            if monotonic() - started_s + pause_s > self._connection.timeout_s:
                return _too_late(state, timeout_s=self._connection.timeout_s)
            await asyncio.sleep(pause_s)
            looked = await self._connection.send(look)
            if isinstance(looked, Attempt):
                if not looked.transient:
                    return looked
            elif not is_transient(looked.http_status, error_code=None):
                reply = looked
                if reply.http_status >= _ERRORS_FROM:
                    break
        return reply


def item_of(body: Json) -> Json:
    """Return what a template is filled with: from a request body with ``input`` and, where they are, the item's own."""
    turns = turns_of(body["input"])
    return {
        "question": turns[-1].text,
        "history": [turn.to_json() for turn in turns[:-1]],
        "item_id": body.get("item_id"),
        "model": body.get("model"),
        "metadata": body.get("metadata") or {},
    }


def parse_bot_answer(http_status: int, body: bytes, headers: Headers, *, bot: Bot) -> Attempt:
    """Translate one answer by the paths of the endpoints file."""
    if http_status >= _ERRORS_FROM:
        return _refused(http_status, body, headers)
    if http_status == _NO_CONTENT or not body.strip():
        return _failed("empty_output", f"HTTP {http_status} without content", outcome=AttemptOutcome.EMPTY)
    try:
        document = read_json(body)
    except ValueError:
        return unreadable(http_status, body, headers)
    try:
        text = text_at(bot.answer, document)
    except PathError as error:
        return replace(_failed(error.code, str(error)), raw=kept(body))
    if text.strip():
        answer = Attempt(outcome=AttemptOutcome.OK, text=text)
    else:
        answer = _failed("empty_output", f"{bot.answer} is empty", outcome=AttemptOutcome.EMPTY)
    usage = _usage(document, bot)
    return replace(
        answer,
        usage=usage,
        maybe_billed=usage is None,
        passages=None if bot.contexts is None else passages_at(bot.contexts, document),
    )


def _usage(document: object, bot: Bot) -> Usage | None:
    """Return the tokens that the bot tells; none at all where the price is that of a call."""
    given, said = (count_at(path, document) for path in (bot.input_tokens, bot.output_tokens))
    if given is None and said is None:
        return None if bot.price_per_call_usd is None else Usage()
    return Usage(input=given or 0, output=said or 0, total=(given or 0) + (said or 0))


def _refused(http_status: int, body: bytes, headers: Headers) -> Attempt:
    words = read_words(body, html="html" in content_type(headers))
    fault = _fault(http_status)
    transient = fault is None and is_transient(http_status, error_code=words.code)
    message = f"HTTP {http_status}: {words.message or 'no explanation'}"
    return Attempt(
        outcome=AttemptOutcome.RETRYABLE if transient else AttemptOutcome.FAILED,
        error=ItemError(
            code=words.code or f"http_{http_status}", type="http_error", message=message, transient=transient
        ),
        retry_after_s=retry_after_s(headers, http_status=http_status) if transient else None,
        throttled=transient and http_status == _THROTTLED,
        account_fault=fault,
    )


def _fault(http_status: int) -> AccountFault | None:
    if http_status in _NOT_ALLOWED:
        return AccountFault.AUTH
    if http_status == _PAYMENT:
        return AccountFault.QUOTA
    return AccountFault.NOT_AN_API if http_status in _NOT_THERE else None


def _failed(code: str, message: str, *, outcome: AttemptOutcome = AttemptOutcome.FAILED) -> Attempt:
    error = ItemError(code=code, type="bot_error", message=message, transient=False)
    return Attempt(outcome=outcome, error=error, maybe_billed=True)


def _document(reply: RawReply) -> object:
    try:
        return read_json(reply.content) if reply.content.strip() else {}
    except UNREADABLE:
        return {}


def _state(reply: RawReply, wait: Waiting) -> str | Attempt | None:
    """Return the word of a bot that is still at work; None of one that is done, an attempt of one that failed."""
    document = _document(reply)
    word = word_at(wait.status, document)
    if word is None and reply.http_status != _ACCEPTED:
        return replace(malformed(f"{wait.status} finds no status in what the bot sent"), raw=kept(reply.content))
    if word in wait.done:
        return None
    if word in wait.failed:
        words = read_words(document).message if isinstance(document, dict) else ""
        return replace(_failed("bot_failed", f"the bot says {word}: {words or 'no reason'}"), raw=kept(reply.content))
    return word or "accepted"


def _look(request: Filled, reply: RawReply, wait: Waiting) -> Filled | None:
    """Return the request that looks how far the bot is; None where a reply names no address for it."""
    told = word_at(wait.poll_url, _document(reply)) if wait.poll_url else None
    target = told or reply.headers.get("location")
    try:
        url = urljoin(request.url, target or "")
        is_web = urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return None
    if not target or not is_web:
        return None
    headers = request.headers if is_same_place(url, request.url) else {}
    return Filled("GET", url, headers, None)


def _pause_s(reply: RawReply, wait: Waiting) -> float:
    told = retry_after_s(reply.headers, http_status=reply.http_status)
    return wait.every_s if told is None else min(max(told, 0.05), _LONGEST_WAIT_S)


def _too_late(word: str, *, timeout_s: float) -> Attempt:
    message = f"the bot still says {word} after {timeout_s:g} s"
    error = ItemError(code="timeout", type="bot_error", message=message, transient=True)
    return Attempt(outcome=AttemptOutcome.RETRYABLE, error=error, maybe_billed=True)
