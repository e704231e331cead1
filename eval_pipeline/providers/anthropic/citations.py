"""What Claude was given to answer from, as far as it tells: what a search found, and what an answer cites.

Of the web pages that a search found only their titles come back to be read; of what is cited, the words.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.passages import Passage

_RESULTS: Final = frozenset({"web_search_tool_result", "web_fetch_tool_result"})
_NAMES: Final = ("document_title", "title", "source", "url")


def found_in(block: Json) -> list[Passage] | None:
    """Return what a block of a message tells of passages; None where it is not about any."""
    if block.get("type") in _RESULTS:
        return list(_passages(block.get("content")))
    citations = block.get("citations")
    return list(_passages(citations)) if isinstance(citations, list) else None


def _passages(entries: Any) -> Iterator[Passage]:  # noqa: ANN401 - JSON
    """Yield what the entries name; an error in their place names nothing."""
    for entry in entries if isinstance(entries, list) else [entries]:
        if not isinstance(entry, Mapping):
            continue
        names = (entry.get(name) for name in _NAMES)
        file = next((name for name in names if isinstance(name, str) and name), None)
        text = entry.get("cited_text")
        if file is not None or isinstance(text, str):
            yield Passage(text=text if isinstance(text, str) else "", file=file)
