"""A model behind ``POST /chat/completions``, asked with the frozen body of either OpenAI protocol."""

from eval_pipeline.core.documents import Json
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError
from eval_pipeline.providers.openai.client import OpenAIConnection
from eval_pipeline.providers.openai_chat.body import chat_body
from eval_pipeline.providers.openai_chat.completion import parse_completion
from eval_pipeline.providers.openai_chat.token_limit import TokenLimit, after_refusal, usual_limit
from eval_pipeline.providers.reading import read_answer
from eval_pipeline.providers.transport import RawReply

PATH = "/chat/completions"


class ChatAnswerer:
    """A model of a server that speaks Chat Completions; it is never asked to stream.

    Args:
        connection: the open connection.
        limit: by which name the server knows the limit of output tokens; None: what it refuses tells.
    """

    def __init__(self, connection: OpenAIConnection, *, limit: TokenLimit | None = None) -> None:
        self._connection = connection
        self._limit = limit or usual_limit(connection.base_url)
        self._learns = limit is None

    async def ask(self, body: Json) -> Attempt:
        """Send one request and translate what comes back; a refused name of the limit is left out from then on."""
        limit, tried = self._limit, {self._limit}
        attempt = await self._ask(body, limit)
        while self._learns and "max_output_tokens" in body and (other := after_refusal(limit, attempt)) is not None:
            if other in tried:
                break
            if self._limit is limit:  # else another call has learned meanwhile
                self._limit = other
            limit = other
            tried.add(limit)
            attempt = await self._ask(body, limit)
        return attempt

    async def _ask(self, body: Json, limit: TokenLimit) -> Attempt:
        try:
            asked = chat_body(body, limit=limit)
        except UsageError as error:
            return _untranslatable(error)
        reply = await self._connection.post(PATH, {**asked, "stream": False})
        if not isinstance(reply, RawReply):
            return reply
        attempt = read_answer(parse_completion, reply.http_status, reply.content, reply.headers)
        return self._connection.finish(attempt, latency_s=reply.latency_s)


def _untranslatable(error: UsageError) -> Attempt:
    """Return the attempt at an item that cannot be asked so; nothing was sent."""
    words = ItemError(code=error.code, type="request", message=error.message, transient=False)
    return Attempt(outcome=AttemptOutcome.FAILED, error=words)
