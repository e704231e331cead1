"""Lines of a batch of chat completions: of its request file, and of its results, read by the parser of live answers."""

import orjson

from eval_pipeline.core.batches import ResultLine
from eval_pipeline.core.documents import Json
from eval_pipeline.core.turns import Input
from eval_pipeline.providers.json_text import encode_json, json_text
from eval_pipeline.providers.openai.batch_lines import read_result
from eval_pipeline.providers.openai_chat.body import chat_body
from eval_pipeline.providers.openai_chat.completion import parse_completion
from eval_pipeline.providers.openai_chat.messages import to_messages
from eval_pipeline.providers.openai_chat.token_limit import IN_BATCHES, TokenLimit
from eval_pipeline.providers.reading import read_line

ENDPOINT = "/v1/chat/completions"


class ChatLines:
    """Lines of a request file that differ in id and question alone: the rest is written as JSON once.

    Args:
        body: the frozen model body, without the question.
        limit: by which name the server knows the limit of output tokens.
    """

    def __init__(self, *, body: Json, limit: TokenLimit = IN_BATCHES) -> None:
        asked = chat_body({**body, "input": []}, limit=limit)
        shared = orjson.dumps(asked).removesuffix(b"]}")  # messages stand last
        before = shared + b"," if asked["messages"] else shared
        self._middle = b',"method":"POST","url":%b,"body":%b' % (orjson.dumps(ENDPOINT), before)

    def line(self, item_id: str, given: Input) -> bytes:
        """Return the line of one item, with its line break."""
        if isinstance(given, str):
            said = b'{"role":"user","content":%b}' % json_text(given)
        else:
            said = b",".join(map(encode_json, to_messages(None, given)))
        return b'{"custom_id":%b%b%b]}}\n' % (json_text(item_id), self._middle, said)


def read_completion_line(line: bytes) -> ResultLine:
    """Read one answer of ``/v1/chat/completions``."""
    return read_line(line, _read_completion, id_name="custom_id")


def _read_completion(document: Json) -> ResultLine:
    return read_result(document, parse_completion)
