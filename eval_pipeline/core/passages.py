"""What a model was given to answer from: the passages that its file search, or the user's own bot, found for an item.

Wherever they come from (a hosted file search, grounding, a bot over HTTP, a recorded file) they are kept in one form.
No passages at all and "nobody told" are different things: an empty tuple, and None.
"""

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Final

from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.secrets import redact_fields
from eval_pipeline.core.values import value

SEARCH_CALL: Final = "file_search_call"
"""What the Responses API calls a file search among a response's output."""
_SEARCHES: Final = frozenset({"file_search", "filesearch", "retrieval"})
"""Tools that look into the user's own files, as protocols name them, without case and underscores where they vary."""


@value
class Passage:
    """One piece of a text that was found."""

    text: str
    file: str | None = None
    score: float | None = None
    """How well it fits, as whoever found it says; None where that is not told."""

    def __post_init__(self) -> None:
        redact_fields(self, "text", "file")

    def to_json(self) -> JsonDict:
        """Return the form that journals, tables and exports keep."""
        return {"file": self.file, "score": self.score, "text": self.text}


def distinct(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    """Return every passage once: a model that searches twice finds some of them twice."""
    return tuple(dict.fromkeys(passages))


def passages_json(passages: Iterable[Passage] | None) -> list[JsonDict] | None:
    """Return the JSON form; None stays None."""
    return None if passages is None else [passage.to_json() for passage in passages]


def read_passages(stored: Iterable[Json] | None) -> tuple[Passage, ...] | None:
    """Read ``passages_json`` back."""
    return None if stored is None else tuple(Passage(one["text"], one["file"], one["score"]) for one in stored)


def score_in(number: object) -> float | None:
    """Return a score as it is kept; None for what is no number."""
    if isinstance(number, bool) or not isinstance(number, int | float) or not isfinite(number):
        return None
    return float(number)


def searches_files(body: Json) -> bool:
    """Tell whether a model body gives the model a search in files, so that an answer without passages is worth a count.

    >>> searches_files({"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]})
    True
    >>> searches_files({"tools": [{"fileSearch": {"fileSearchStoreNames": ["fileSearchStores/1"]}}]})
    True
    """
    tools = body.get("tools")
    return isinstance(tools, list) and any(_is_search(tool) for tool in tools if isinstance(tool, Mapping))


def _is_search(tool: Json) -> bool:
    names = (tool.get("type"), *tool) if isinstance(tool.get("type"), str) else tuple(tool)
    return any(str(name).lower() in _SEARCHES for name in names)


def retrieval_words(counts: Mapping[str, int]) -> str:
    """Say for how many answers nothing was retrieved.

    >>> retrieval_words({"items": 10, "with_passages": 7, "nothing": 3, "not_told": 0})
    '3 of 10 answered items retrieved nothing'
    """
    told = f"{counts['nothing']:,} of {counted(counts['items'], 'answered item')} retrieved nothing"
    return told + (f"; of {counts['not_told']:,} nobody told" if counts["not_told"] else "")
