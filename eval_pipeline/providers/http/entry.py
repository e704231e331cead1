"""What an endpoints file says of a bot behind HTTP: its request as a template, and where its answer lies."""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from eval_pipeline.core.own_prices import OwnPrice
from eval_pipeline.providers.entry import EndpointEntry, Strict
from eval_pipeline.providers.http.bot import EVERY_S
from eval_pipeline.providers.http.paths import path_problem
from eval_pipeline.providers.http.planted_keys import planted_keys
from eval_pipeline.providers.http.template import template_problems

_PATH = "JSONPath as in RFC 9535, such as $.data.answer"


class HttpRequestEntry(Strict):
    """The request of one item; ``{{ question }}`` and its like are filled with values, never with JSON text."""

    method: Annotated[Literal["GET", "POST", "PUT", "PATCH"], Field(description="Default: POST.")] = "POST"
    url: Annotated[str, Field(pattern="^https?://", description="Whole address; placeholders are percent-encoded.")]
    headers: Annotated[
        dict[str, str], Field(default_factory=dict, description="Such as Authorization: Bearer ${BOT_TOKEN}.")
    ]
    body: Annotated[Any, Field(alias="json", description="What is sent as JSON; none with GET.")] = None

    @model_validator(mode="after")
    def _fits_its_method(self) -> Self:
        if self.method == "GET" and self.body is not None:
            raise ValueError("a GET request has no json: put the question into url")
        if problems := template_problems([self.url, self.headers, self.body]):
            raise ValueError("; ".join(problems))
        if planted := planted_keys(self.url, self.headers, self.body):
            raise ValueError(f"{planted[0]} holds a key that is written into the file: write ${{VARIABLE}} for it")
        return self


class HttpUsageEntry(Strict):
    """Where the bot tells its tokens."""

    input: Annotated[str | None, Field(description=_PATH)] = None
    output: Annotated[str | None, Field(description=_PATH)] = None

    @field_validator("input", "output")
    @classmethod
    def _is_path(cls, path: str | None) -> str | None:
        return _checked(path)


class HttpWaitEntry(Strict):
    """How to wait for a bot that answers later."""

    status: Annotated[str, Field(description=f"Where it says how far it is: {_PATH}")]
    done: Annotated[list[str], Field(min_length=1, description="Words of a finished answer.")]
    failed: Annotated[list[str], Field(default_factory=list, description="Words of one that failed.")]
    poll_url: Annotated[
        str | None, Field(description=f"Where it says what to ask for: {_PATH}. Default: the Location header.")
    ] = None
    every_s: Annotated[float, Field(gt=0, le=600, strict=False, description="Seconds between looks.")] = EVERY_S

    @field_validator("status", "poll_url")
    @classmethod
    def _is_path(cls, path: str | None) -> str | None:
        return _checked(path)


class HttpEntry(EndpointEntry):
    """A bot of one's own."""

    request: HttpRequestEntry
    answer: Annotated[str, Field(description=f"{_PATH}; a list of texts is joined.")]
    contexts: Annotated[str | None, Field(description=f"Of the passages it answered from: {_PATH}")] = None
    usage: HttpUsageEntry = HttpUsageEntry()
    wait: Annotated[HttpWaitEntry | None, Field(description="Of a bot that answers later.")] = None
    price_per_call_usd: Annotated[float | None, Field(ge=0, allow_inf_nan=False, strict=False)] = None

    @field_validator("answer", "contexts")
    @classmethod
    def _is_path(cls, path: str | None) -> str | None:
        return _checked(path)

    @property
    def address(self) -> str | None:
        """The part of the request's address that is the same for every item."""
        return re.split(r"[?#]|\{\{|\$\{", self.request.url, maxsplit=1)[0]

    def prices_of(self, name: str) -> dict[str, OwnPrice]:
        """Return what a call costs; an assistant is one model, named as its endpoint."""
        call = self.price_per_call_usd
        return {} if call is None else {name: OwnPrice(call=Decimal(str(call)))}


def _checked(path: str | None) -> str | None:
    if path is not None and (problem := path_problem(path)):
        raise ValueError(problem)
    return path
