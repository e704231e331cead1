"""The vocabulary of word and character alignments: what was heard, missed, added or replaced."""

from enum import StrEnum

from eval_pipeline.core.values import value


class Edit(StrEnum):
    """What an alignment says of one position."""

    HIT = "hit"
    SUBSTITUTION = "substitution"
    DELETION = "deletion"
    INSERTION = "insertion"


@value
class AlignedToken:
    """One position of an alignment; ``reference`` is None for an insertion, ``hypothesis`` for a deletion.

    ``reference_index`` and ``hypothesis_index`` point into the token sequences that were aligned. With alternatives,
    ``reference_index`` counts along the path that was chosen.
    """

    edit: Edit
    reference: str | None
    hypothesis: str | None
    reference_index: int | None
    hypothesis_index: int | None


@value
class EditCounts:
    """Counts of an alignment with fewest edits and, among those, most hits."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def edits(self) -> int:
        """All that is wrong."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def reference_length(self) -> int:
        """Tokens of the reference."""
        return self.hits + self.substitutions + self.deletions

    @property
    def hypothesis_length(self) -> int:
        """Tokens of the hypothesis."""
        return self.hits + self.substitutions + self.insertions

    def __add__(self, other: "EditCounts") -> "EditCounts":
        return EditCounts(
            hits=self.hits + other.hits,
            substitutions=self.substitutions + other.substitutions,
            deletions=self.deletions + other.deletions,
            insertions=self.insertions + other.insertions,
        )
