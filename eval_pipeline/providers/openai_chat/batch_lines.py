"""Lines of a batch of chat completions: of its request file, and of its results, read by the parser of live answers."""

import orjson

from eval_pipeline.core.batches import ResultLine
from eval_pipeline.core.documents import Json
from eval_pipeline.core.turns import Input
from eval_pipeline.providers.json_text import encode_json, json_text
from eval_pipeline.providers.openai.batch_lines import read_result
from eval_pipeline.providers.openai_chat.body import chat_body
from eval_pipeline.providers.openai_chat.completion import parse_completion
from eval_pipeline.providers.openai_chat.token_limit import TokenLimit
from eval_pipeline.providers.reading import read_line

ENDPOINT = "/v1/chat/completions"


class ChatLines:
    """Lines of a request file that differ in id and question alone: the rest is written as JSON once.

    Args:
        body: the frozen model body, without the question.
        limit: by which name the server knows the limit of output tokens.
    """

    def __init__(self, *, body: Json, limit: TokenLimit = TokenLimit.MAX_COMPLETION_TOKENS) -> None:
        self._body, self._limit = body, limit
        asked = chat_body({**body, "input": ""}, limit=limit)
        *said, question = asked.pop("messages")
        shared = orjson.dumps({**asked, "messages": [*said, {**question, "content": None}]})
        self._middle = b',"method":"POST","url":%b,"body":%b' % (
            orjson.dumps(ENDPOINT),
            shared.removesuffix(b"null}]}"),
        )

    def line(self, item_id: str, given: Input) -> bytes:
        """Return the line of one item, with its line break."""
        if isinstance(given, str):
            return b'{"custom_id":%b%b%b}]}}\n' % (json_text(item_id), self._middle, json_text(given))
        body = chat_body({**self._body, "input": given}, limit=self._limit)
        return b'{"custom_id":%b,"method":"POST","url":%b,"body":%b}\n' % (
            json_text(item_id),
            orjson.dumps(ENDPOINT),
            encode_json(body),
        )


def read_completion_line(line: bytes) -> ResultLine:
    """Read one answer of ``/v1/chat/completions``."""
    return read_line(line, _read_completion, id_name="custom_id")


def _read_completion(document: Json) -> ResultLine:
    return read_result(document, parse_completion)
