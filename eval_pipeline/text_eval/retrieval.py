"""How many answered items were given passages to answer from, and how many were given nothing.

A model that may search its files and does not, or finds nothing, answers from what it learnt: that is worth a count.
"""

from dataclasses import dataclass, replace

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.outcomes import ItemRecord, ItemStatus
from eval_pipeline.core.passages import SEARCH_CALL


@dataclass(slots=True)
class RetrievalTally:
    """Counts over the answered items of a run, in one pass."""

    searches: bool
    """Whether the model could search in files."""
    items: int = 0
    with_passages: int = 0
    nothing: int = 0
    not_told: int = 0

    def add(self, record: ItemRecord) -> ItemRecord:
        """Count one item; returns its record, which says "nothing" where a model could search and did not."""
        if record.status is not ItemStatus.OK:
            return record
        if record.passages is None and self.searches and not self._searched_in_silence(record):
            record = replace(record, passages=())
        self.items += 1
        self.with_passages += bool(record.passages)
        self.nothing += record.passages == ()
        self.not_told += record.passages is None
        return record

    @staticmethod
    def _searched_in_silence(record: ItemRecord) -> bool:
        """Tell a search whose server kept its results to itself: what it found is not known."""
        return any(name == SEARCH_CALL for name, _ in record.served.tools)

    def summary(self) -> JsonDict:
        """Return the fact that the stage's manifest keeps; nothing of a run without retrieval."""
        if not self.searches and self.not_told == self.items:
            return {}
        counts = {name: getattr(self, name) for name in ("items", "with_passages", "nothing", "not_told")}
        return {"retrieval": counts}
