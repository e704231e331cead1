"""The lines of Gemini's batches: requests under an item's key, results read by the parsers of live answers."""

from collections.abc import Mapping

import orjson

from eval_pipeline.core.batches import ResultLine
from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import Attempt, Usage
from eval_pipeline.core.ports.models import EmbeddingReply
from eval_pipeline.core.turns import Input
from eval_pipeline.providers.gemini.embeddings import embedding_fields, read_values
from eval_pipeline.providers.gemini.errors import attempt_of, read_status
from eval_pipeline.providers.gemini.fields import count_in, pick, text_in
from eval_pipeline.providers.gemini.generate import parse_generation
from eval_pipeline.providers.gemini.requests import earlier_turns, fixed_fields, request_of
from eval_pipeline.providers.gemini.transcripts import transcription_config
from eval_pipeline.providers.gemini.usage import read_usage
from eval_pipeline.providers.json_text import encode_json, json_text
from eval_pipeline.providers.reading import read_line
from eval_pipeline.providers.vectors import check_vectors, vector_attempt
from eval_pipeline.providers.words import malformed


class GeminiLines:
    """Request lines of answers: what every request shares is written as JSON once.

    Args:
        body: the model body of a run, read as live calls read it.
    """

    def __init__(self, *, body: Json) -> None:
        self._body = body
        turns = b"".join(orjson.dumps(turn) + b"," for turn in earlier_turns(body))
        self._before = b',"request":{"contents":[%b{"parts":[{"text":' % turns
        fixed = fixed_fields(body)
        rest = b"," + orjson.dumps(fixed)[1:] if fixed else b"}"
        self._after = b'}],"role":"user"}]%b}\n' % rest

    def line(self, item_id: str, given: Input) -> bytes:
        """Return the line of one item, with its line break."""
        if not isinstance(given, str):
            request = encode_json(request_of({**self._body, "input": given}))
            return b'{"key":%b,"request":%b}\n' % (json_text(item_id), request)
        return b'{"key":%b%b%b%b' % (json_text(item_id), self._before, json_text(given), self._after)


class GeminiEmbeddingLines:
    """Request lines of embeddings.

    Args:
        dimensions: shorter vectors, where the model offers them.
        task_type: what they are for; None: the model's default.
    """

    def __init__(self, *, dimensions: int | None = None, task_type: str | None = None) -> None:
        fixed = embedding_fields(dimensions=dimensions, task_type=task_type)
        rest = b"," + orjson.dumps(fixed)[1:] if fixed else b"}"
        self._after = b"}]}%b}\n" % rest

    def line(self, item_id: str, given: Input) -> bytes:
        """Return the line of one text, with its line break."""
        text = json_text(str(given))
        return b'{"key":%b,"request":{"content":{"parts":[{"text":%b%b' % (json_text(item_id), text, self._after)


class TranscriptionLines:
    """Request lines of transcriptions: a prompt and a clip that the Files API keeps.

    Args:
        generation_config: what else the model is told, in the API's words; ``temperature`` is 0 when it says nothing.
    """

    def __init__(self, *, generation_config: Json | None = None) -> None:
        config = transcription_config(generation_config)
        self._after = b'}}],"role":"user"}],"generation_config":%b}}\n' % config

    def line(self, item_id: str, *, prompt: str, mime_type: str, file_uri: str) -> bytes:
        """Return the line of one clip, with its line break."""
        return (
            b'{"key":%b,"request":{"contents":[{"parts":[{"text":%b},{"file_data":{"mime_type":%b,"file_uri":%b%b'
            % (
                json_text(item_id),
                json_text(prompt),
                json_text(mime_type),
                json_text(file_uri),
                self._after,
            )
        )


def read_generation_line(line: bytes) -> ResultLine:
    """Read one answer or transcript."""
    return read_line(line, _read_generation, id_name="key")


def _read_generation(document: Json) -> ResultLine:
    response = document.get("response")
    if not isinstance(response, Mapping):
        return ResultLine(text_in(document, "key"), _without_response(document))
    return ResultLine(text_in(document, "key"), parse_generation(200, response, {}))


def read_embedding_line(line: bytes) -> ResultLine:
    """Read the vector of one text."""
    return read_line(line, _read_embedding, id_name="key")


def _read_embedding(document: Json) -> ResultLine:
    key, response = text_in(document, "key"), document.get("response")
    if not isinstance(response, Mapping):
        return ResultLine(key, _without_response(document))
    reply = _reply_of(response)
    return ResultLine(key, vector_attempt(reply), payload=reply)


def _reply_of(response: Json) -> EmbeddingReply:
    vectors, problems = check_vectors([read_values(response.get("embedding"))], dimensions=None)
    return EmbeddingReply(vectors=vectors, problems=problems, usage=_usage(response), model=None, latency_s=0.0)


def _usage(response: Json) -> Usage | None:
    """Read the tokens of one text, which batches may count by themselves."""
    tokens = count_in(response, "tokenCount")
    return Usage(input=tokens, total=tokens) if tokens else read_usage(pick(response, "usageMetadata"))


def _without_response(document: Json) -> Attempt:
    """Read a line that has an ``error`` in place of a response; some servers call it ``status``."""
    given = document.get("error") or document.get("status")
    if not isinstance(given, Mapping):
        return malformed("a line without response and without error")
    return attempt_of(read_status(given))
