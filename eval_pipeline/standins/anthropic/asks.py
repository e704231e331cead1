"""``POST /v1/messages``: what a valid request is, and what it costs to read.

Input tokens are those of ``system`` and of every text in ``messages``. With ``cache_control`` anywhere, a system prompt
of 1,024 tokens and more is written into the cache by the first request, and read from it by all later ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from eval_pipeline.standins.anthropic.errors import InvalidBodyError, read_object
from eval_pipeline.standins.documents import Json, JsonDict, at
from eval_pipeline.standins.judge_asks import JudgeAsk, read_judge_ask
from eval_pipeline.standins.tokens import count_all

CACHE_FROM_TOKENS = 1024
_PARAMETERS = frozenset(
    {"cache_control", "container", "inference_geo", "max_tokens", "messages", "metadata", "model", "output_config"}
    | {"service_tier", "stop_sequences", "stream", "system", "temperature", "thinking", "tool_choice", "tools"}
    | {"top_k", "top_p"}
)
_NUMBERS = {"temperature": (0, 1), "top_p": (0, 1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A valid request; ``question`` is the last text that the user says in it."""

    body: Json
    model: str
    question: str
    system: str
    input_tokens: int
    """All of them, those of the system prompt included."""
    system_tokens: int
    cached_for: str | None
    """How long the system prompt is to be cached; None: not at all."""
    judged: JudgeAsk | None = None
    """What it asks, if it is one to judge."""

    @property
    def name(self) -> str:
        """What it is counted as."""
        return self.question if self.judged is None else self.judged.name


def read_ask(raw: bytes) -> Ask:
    """Read the body of a request, or refuse it as the real API does."""
    return ask_of(read_object(raw))


def ask_of(body: JsonDict) -> Ask:
    """Read a request, or refuse it as the real API does."""
    _check_values(body)
    said = [(turn["role"], text) for turn in body["messages"] for text in _texts(turn["content"], "messages.content")]
    system = list(_texts(body.get("system") or "", "system"))
    system_tokens = count_all(text for text in system if text)
    return Ask(
        body=body,
        model=body["model"],
        question=next((text for role, text in reversed(said) if role == "user"), ""),
        system="\n".join(system),
        input_tokens=system_tokens + count_all(text for _, text in said),
        system_tokens=system_tokens,
        cached_for=_cached_for(body) if system_tokens >= CACHE_FROM_TOKENS else None,
        judged=read_judge_ask(said, model=body["model"], schema=at(body, "output_config", "format", "schema")),
    )


def _check_values(body: Json) -> None:
    for name in ("model", "max_tokens", "messages"):
        if body.get(name) is None:
            raise InvalidBodyError(f"{name}: Field required")
    if unknown := sorted(body.keys() - _PARAMETERS):
        raise InvalidBodyError(f"{unknown[0]}: Extra inputs are not permitted")
    if not isinstance(body["model"], str) or not body["model"]:
        raise InvalidBodyError("model: Input should be a valid string")
    if type(body["max_tokens"]) is not int or body["max_tokens"] < 1:
        raise InvalidBodyError("max_tokens: Input should be greater than or equal to 1")
    for name, (low, high) in _NUMBERS.items():
        value = body.get(name)
        if value is not None and not (type(value) in (int, float) and low <= value <= high):
            raise InvalidBodyError(f"{name}: range: {low}..{high}")
    if body.get("stream"):
        raise InvalidBodyError("stream: the stand-in does not stream")
    _check_messages(body["messages"])


def _check_messages(messages: object) -> None:
    if not isinstance(messages, list) or not messages:
        raise InvalidBodyError("messages: at least one message is required")
    for place, turn in enumerate(messages):
        if not isinstance(turn, dict) or turn.get("role") not in ("user", "assistant"):
            raise InvalidBodyError(f"messages.{place}.role: Input should be 'user' or 'assistant'")
        if not turn.get("content"):
            raise InvalidBodyError(f"messages.{place}: all messages must have non-empty content")


def _texts(content: object, param: str) -> Iterator[str]:
    """Yield every text of a content, which is a text or a list of blocks."""
    if isinstance(content, str):
        yield content
        return
    if not isinstance(content, list) or not all(isinstance(block, dict) and block.get("type") for block in content):
        raise InvalidBodyError(f"{param}: Input should be a valid string or list of blocks")
    yield from (block["text"] for block in content if block["type"] == "text")


def _cached_for(body: Json) -> str | None:
    system = body.get("system")
    blocks = system if isinstance(system, list) else []
    marks = [body.get("cache_control"), *(block.get("cache_control") for block in blocks)]
    return next((str(mark.get("ttl", "5m")) for mark in marks if isinstance(mark, dict)), None)
