"""What Gemini's models are asked and answer at once: content, embeddings, and what models there are."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import orjson
from starlette.requests import Request

from eval_pipeline.standins.breakage import Answer
from eval_pipeline.standins.control import Standin
from eval_pipeline.standins.documents import Json
from eval_pipeline.standins.faults import FaultRule
from eval_pipeline.standins.gemini.answers import Answerer, Made
from eval_pipeline.standins.gemini.asks import Ask, AskReader
from eval_pipeline.standins.gemini.bodies import read_object
from eval_pipeline.standins.gemini.embeddings import Embed, made_embedding, made_embeddings, read_embed, read_embeds
from eval_pipeline.standins.gemini.errors import NOT_FOUND, GeminiRefusedError, no_such_model
from eval_pipeline.standins.judge_asks import looked_in, passed_over
from eval_pipeline.standins.serving import Headers, Reception, Work, json_answer

_LISTED_MODELS = ("gemini-2.5-flash", "gemini-2.5-pro", "gemini-embedding-001")


class GeminiModels:
    """The endpoints of models that answer at once.

    Args:
        standin: Where it is counted.
        desk: Where requests are judged.
        reader: Reads what is asked.
        answerer: Makes the answers.
        models: The models that exist; any model when empty.
    """

    def __init__(
        self, standin: Standin, desk: Reception, *, reader: AskReader, answerer: Answerer, models: frozenset[str]
    ) -> None:
        self._models = models
        self._standin = standin
        self._desk = desk
        self._reader = reader
        self._answerer = answerer

    async def generate(self, request: Request) -> Answer:
        """Answer a question, or transcribe a clip."""
        raw, model = await request.body(), request.path_params["model"]
        read = await asyncio.to_thread(self._understand, raw, model)  # a signed URL is fetched
        return await self._desk.serve(request, lambda: self._generate_work(read))

    def _understand(self, raw: bytes, model: str) -> Ask | GeminiRefusedError:
        try:
            self._check_model(model, method="generateContent")
            return self._reader.read(model, read_object(raw))
        except GeminiRefusedError as error:
            return error

    def _generate_work(self, read: Ask | GeminiRefusedError) -> Work:
        if isinstance(read, GeminiRefusedError):
            raise read

        def make(rule: FaultRule | None) -> Made:
            return self._answerer.make(read, rule)

        work = self._work("generate", read.model, [read.name], tokens=read.prompt_tokens, make=make)
        return replace(work, within=looked_in(read.judged), passed_over=passed_over(read.judged))

    async def embed(self, request: Request) -> Answer:
        """Embed one text or several."""
        raw, model = await request.body(), request.path_params["model"]
        several = request.url.path.endswith(":batchEmbedContents")
        return await self._desk.serve(request, lambda: self._embed_work(read_object(raw), model, several=several))

    def _embed_work(self, body: Json, model: str, *, several: bool) -> Work:
        self._check_model(model, method="batchEmbedContents" if several else "embedContent")
        asked: list[Embed] = read_embeds(body) if several else [read_embed(body)]
        texts = [entry.text for entry in asked]

        def make(rule: FaultRule | None) -> Made:
            return made_embeddings(asked, rule) if several else made_embedding(asked[0], rule)

        return self._work("embed", model, texts, tokens=0, make=make)

    def _check_model(self, model: str, *, method: str) -> None:
        if self._models and model not in self._models:
            raise GeminiRefusedError(no_such_model(model, method=method))

    def _work(
        self, endpoint: str, model: str, texts: list[str], *, tokens: int, make: Callable[[FaultRule | None], Made]
    ) -> Work:
        async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
            made = make(rule)
            counts = self._standin.counts[endpoint]
            counts.note_tokens(made.tokens)
            counts.billed.update(texts)
            return json_answer(made.body, headers, rule)

        not_found = no_such_model(model, method=endpoint)
        return Work(endpoint=endpoint, model=model, texts=texts, tokens=tokens, answer=answer, not_found=not_found)

    async def list_models(self, request: Request) -> Answer:
        """List the models that exist, the recorded ones and a few that clients look for."""
        models = [_model(name) for name in self._names()]
        return await self._desk.serve(request, lambda: _model_work(orjson.dumps({"models": models})))

    async def get_model(self, request: Request) -> Answer:
        """Describe a model."""
        return await self._desk.serve(request, lambda: self._model_work(request.path_params["model"]))

    def _model_work(self, name: str) -> Work:
        if self._models and name not in self._models:
            raise GeminiRefusedError(NOT_FOUND)
        return _model_work(orjson.dumps(_model(name)))

    def _names(self) -> list[str]:
        return sorted(self._models or {*_LISTED_MODELS, *self._answerer.recordings.models})


def _model_work(body: bytes) -> Work:
    async def answer(rule: FaultRule | None, headers: Headers) -> Answer:
        return json_answer(body, headers, rule)

    return Work(endpoint="models", texts=[""], answer=answer)


def _model(name: str) -> dict[str, object]:
    methods = ["embedContent", "asyncBatchEmbedContent"] if "embedding" in name else ["generateContent"]
    return {
        "name": f"models/{name}",
        "version": "stand-in",
        "displayName": name,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": [*methods, "batchGenerateContent"],
    }
