"""What a protocol offers, declared once in its folder's module ``protocol``: all that the rest of the code knows of it.

A protocol says how its parts are opened at an address with a key, and leaves out what it does not have. What decides
who is asked, how often and for how much stays outside.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from eval_pipeline.core.batches import BatchPolicy
from eval_pipeline.core.documents import Json
from eval_pipeline.core.ports.batch_provider import BatchForm, BatchProvider, ClipForm
from eval_pipeline.core.ports.file_host import FileHost
from eval_pipeline.core.ports.models import Answerer, Embedder, Transcriber, Vectors

if TYPE_CHECKING:
    from eval_pipeline.providers.entry import EndpointEntry

MAX_TEXTS: Final = 2_048
"""Texts of one embedding call, where a protocol knows no smaller number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where and how the calls of an endpoint go; its key never shows."""

    base_url: str
    api_key: str = field(repr=False)
    """Empty where the server wants none: then no header of a key is sent."""
    timeout_s: float = 600.0
    """Of one call."""
    connections: int = 1
    """Calls that may be under way at once."""
    max_answer_bytes: int = 32_000_000
    key_words: str = "the key"
    """What gives the key, in the words of the person who configured it, such as ``OPENAI_API_KEY``."""
    url_words: str = "the address"
    """What gives the address, such as ``base_url of endpoint azure in endpoints.yaml``."""
    is_own: bool = False
    """Whether it comes from a file: then what the environment says for a vendor's own client is not for it."""
    more: Json = field(default_factory=dict, repr=False)
    """What the endpoints file says beyond what all protocols have, its ``${VARIABLES}`` filled in: may hold secrets."""


def _as_it_is(policy: BatchPolicy) -> BatchPolicy:
    return policy


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """The batches of a protocol."""

    open: Callable[[Reach], BatchProvider]
    """Builds the files and batches of an account; nothing is sent before it is used."""
    answers: Callable[[Json, Json], BatchForm]
    """How questions go out under a frozen model body; also given what the endpoints file says beyond what all have."""
    vectors: Callable[[Vectors], BatchForm] | None = None
    clips: ClipForm | None = None
    patience: Callable[[BatchPolicy], BatchPolicy] = _as_it_is
    """What differs from how patient this installation is with batches."""
    most_requests: int | None = None
    """Of one batch; None: what the installation says."""
    most_bytes: int | None = None
    """Of one request file as it is written here; None: what the installation says."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Where a server lists its models, which costs nothing, and the headers that it wants."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentRequest:
    """A request as it goes out, for a person to look at; whoever shows it takes the secrets out."""

    method: str = "POST"
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: object = field(default=None, repr=False)


def _below(reach: Reach, path: str) -> str:
    return f"{reach.base_url.rstrip('/')}{path}"


def _anything(_body: Json) -> None:
    """Take any body: what is wrong with it the server says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolPlan:
    """A protocol, and what it has."""

    title: str
    """The vendor as people write it."""
    default_url: str | None
    """The vendor's own address; None: an endpoint must say where it is."""
    url_example: str
    """Of an address, for messages."""
    needs_key: bool = True
    """Whether an endpoint must say which key it takes, or that it takes none."""
    needs_url: bool = True
    """Whether it must be said where an endpoint is, unless the vendor has an address of its own."""
    is_one_model: bool = False
    """Whether a server is one assistant, so that an endpoint's name alone names it."""
    takes_items: bool = False
    """Whether requests tell the id and the metadata of their item, as ``item_id`` and ``metadata``."""
    takes_schema: bool = True
    """Whether a request may say by a JSON Schema what its answer looks like (``text.format``)."""
    seller: str
    """The vendor as the library of prices names it."""
    is_sold_by_address: bool = False
    """Whether servers of many sellers, or of nobody, speak it: then the address tells whose prices hold."""
    answerer: Callable[[Reach], AbstractAsyncContextManager[Answerer]]
    """Opens the model under test, alive inside one ``async with`` of one event loop."""
    check_body: Callable[[Json], None] = _anything
    """Raises ``UsageError`` for a frozen model body that cannot become a request, before anything is paid."""
    embedder: Callable[[Reach, Vectors], AbstractAsyncContextManager[Embedder]] | None = None
    texts_a_call: int = MAX_TEXTS
    transcriber: Callable[[Reach, FileHost | None], AbstractAsyncContextManager[Transcriber]] | None = None
    file_host: Callable[[Reach], FileHost] | None = None
    """Opens what keeps clips for requests; None where a request takes them itself."""
    batches: BatchPlan | None = None
    listing: Callable[[Reach], Listing] | None = None
    request: Callable[[Reach, Json], SentRequest] | None = None
    """What a body with its ``input`` is sent as, for ``endpoint try``."""
    entry: "Callable[[], type[EndpointEntry]] | None" = None
    """What an endpoints file may say of it beyond what all protocols have."""
    place: Callable[[Reach, str], str] = _below
    """Where a path is, at an address."""
    paths: Sequence[str] = ()
    """What a server of this protocol has, for ``doctor`` to look for."""
