"""What Gemini's searches found: the chunks of ``groundingMetadata``, from files, web pages or maps, in one form.

A chunk of a file search has title and text; one of a web page names it alone. Scores are not told.
"""

from collections.abc import Mapping
from typing import Final

from eval_pipeline.core.documents import Json
from eval_pipeline.core.passages import Passage, distinct
from eval_pipeline.providers.gemini.fields import part_of, pick, text_in

_KINDS: Final = ("retrievedContext", "web", "maps")


def read_grounding(candidate: Json) -> tuple[Passage, ...] | None:
    """Return what was found for a candidate; None where nothing was looked for, or nobody tells."""
    grounding = part_of(candidate, "groundingMetadata")
    if not grounding:
        return None
    chunks = pick(grounding, "groundingChunks")
    found = [_passage(chunk) for chunk in chunks if isinstance(chunk, Mapping)] if isinstance(chunks, list) else []
    return distinct(passage for passage in found if passage is not None)


def _passage(chunk: Json) -> Passage | None:
    source = next((found for kind in _KINDS if (found := part_of(chunk, kind))), None)
    if source is None:
        return None
    text = text_in(source, "text") or text_in(part_of(source, "ragChunk"), "text")
    return Passage(text=text or "", file=text_in(source, "title") or text_in(source, "uri"))
