"""What meets the faults: a kind of work in a protocol, each with the names that its stand-in has for the same things.

A new protocol is one more column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Work(StrEnum):
    """What a batch brings."""

    ANSWERS = "answers"
    EMBEDDINGS = "embeddings"
    TRANSCRIPTS = "transcripts"


OPENAI_NAMES: Final = MappingProxyType(
    {
        "upload": "files.create",
        "create": "batches.create",
        "list": "batches.list",
        "look": "batches.retrieve",
        "download": "files.content",
        "results": "/files/",
        "cut_short": "incomplete",
        "partly_expired": "expired_partial",
    }
)
GEMINI_NAMES: Final = MappingProxyType(
    {
        "upload": "files.start",
        "create": "batches.create",
        "list": "batches.list",
        "look": "batches.get",
        "download": "files.download",
        "results": "/files/",
        "cut_short": "max_tokens",
        "partly_expired": "partially_succeeded",
    }
)
ANTHROPIC_NAMES: Final = MappingProxyType(
    {
        "create": "batches.create",
        "list": "batches.list",
        "look": "batches.retrieve",
        "download": "batches.results",
        "results": "/results",
        "cut_short": "max_tokens",
        "partly_expired": "expired_partial",
    }
)


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of work in one protocol.

    Args:
        name: as the table shows it.
        standin: which of the stand-ins is asked.
        work: what its batches bring.
        lines: what the stand-in calls a line of such a batch.
        batches: what it calls the batches themselves.
        names: what it calls calls and faults.
        options: of the run, besides its dataset.
        unable: scenarios of batches that the protocol has not.
    """

    name: str
    standin: str
    work: Work
    lines: str
    batches: str
    names: Mapping[str, str]
    options: Sequence[str]
    unable: frozenset[str] = frozenset()


_EXACT, _SIMILAR = ("--scorer", "exact_match"), ("--scorer", "cosine_similarity")
_GEMINI = ("--provider", "gemini")
COLUMNS: Final = (
    Column("OpenAI answers", "openai", Work.ANSWERS, "responses", "/v1/responses", OPENAI_NAMES, _EXACT),
    Column(
        "Chat answers",
        "openai",
        Work.ANSWERS,
        "chat",
        "/v1/chat/completions",
        OPENAI_NAMES,
        ("--model", "chat/gpt-4o-mini", *_EXACT),
    ),
    Column(
        "Anthropic answers",
        "anthropic",
        Work.ANSWERS,
        "messages",
        "messages",
        ANTHROPIC_NAMES,
        ("--model", "claude/claude-sonnet-4-5", *_EXACT),
        frozenset({"token_limit"}),
    ),
    Column("OpenAI embeddings", "openai", Work.EMBEDDINGS, "embeddings", "/v1/embeddings", OPENAI_NAMES, _SIMILAR),
    Column("Gemini answers", "gemini", Work.ANSWERS, "generate", "generate", GEMINI_NAMES, (*_GEMINI, *_EXACT)),
    Column("Gemini embeddings", "gemini", Work.EMBEDDINGS, "embed", "embed", GEMINI_NAMES, (*_GEMINI, *_SIMILAR)),
    Column(
        "Gemini transcripts",
        "gemini",
        Work.TRANSCRIPTS,
        "generate",
        "generate",
        GEMINI_NAMES,
        ("--model", "gemini-2.5-flash"),
    ),
)
