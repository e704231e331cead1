"""Where the answers of a run come from that asks nobody: frozen with the run, told in its report."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from eval_pipeline.core.documents import Json, JsonDict

RECORDED: Final = "recorded"
"""What stands where the name of an endpoint does, and as the rate of a cost that is none."""


class AnswersIn(StrEnum):
    """What holds the answers."""

    FILE = "file"
    DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class RecordedAnswers:
    """A file of answers by its digest, or the dataset itself."""

    source: AnswersIn
    answers: int
    """That belong to the dataset."""
    name: str = ""
    """Of the file; of a dataset nothing is needed, its version is frozen anyway."""
    sha256: str = ""
    size_bytes: int = 0
    matched_by: str = ""
    surplus: int = 0
    """Answers to nothing in the dataset."""
    surplus_lines: tuple[int, ...] = ()
    """The first of them."""
    sheet: str | None = None
    """Of a workbook, where a person named it."""

    @property
    def file_name(self) -> str:
        """What the file is called where it is stored with the run; its suffix tells its format."""
        suffix = self.name.rpartition(".")[2].lower() if "." in self.name else ""
        return f"answers-{self.sha256[:16]}" + (f".{suffix}" if suffix.isalnum() and suffix.isascii() else "")

    def to_json(self) -> JsonDict:
        """Return the JSON form that a specification keeps."""
        told: JsonDict = {"source": str(self.source), "answers": self.answers}
        if self.source is AnswersIn.DATASET:
            return told
        return {
            **told,
            "name": self.name,
            "sha256": self.sha256,
            "size_bytes": self.size_bytes,
            "matched_by": self.matched_by,
            "surplus": self.surplus,
            "surplus_lines": list(self.surplus_lines),
        } | ({} if self.sheet is None else {"sheet": self.sheet})

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        return cls(
            **{
                **value,
                "source": AnswersIn(value["source"]),
                "surplus_lines": tuple(value.get("surplus_lines", ())),
            }
        )


def recorded_words(recorded: Json) -> str:
    """Say where the answers came from, in one sentence.

    Args:
        recorded: as a specification keeps it.
    """
    one = RecordedAnswers.from_json(recorded)
    if one.source is AnswersIn.DATASET:
        return "answers were recorded in the dataset's column model_answer; nobody was asked"
    lines = ", ".join(f"{line:,}" for line in one.surplus_lines)
    more = ", …" if one.surplus > len(one.surplus_lines) else ""
    verb, where = ("is", "line") if one.surplus == 1 else ("are", "lines")
    beside = f"; {one.surplus:,} of its answers {verb} to nothing in the dataset ({where} {lines}{more})"
    of_sheet = "" if one.sheet is None else f", sheet {one.sheet}"
    told = f"answers were recorded in {one.name}{of_sheet} (sha256 {one.sha256}); nobody was asked"
    return told + (beside if one.surplus else "")
