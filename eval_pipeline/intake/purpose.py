"""What a handed-in file is for: the words with which its errors name it and the remedy."""

from dataclasses import dataclass

from eval_pipeline.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Purpose:
    """A kind of file that people hand in."""

    noun: str
    """As in "the golden file cannot be used"."""
    required: tuple[str, ...]
    """Columns without which it says nothing."""
    aliases: tuple[tuple[str, str], ...] = ()
    """Other names of required columns, each with the name that it stands for."""
    code: str = "invalid_dataset"
    """Of the error that refuses such a file."""
    sheet_option: str = "--sheet"
    """What names a sheet of a workbook, on the command line."""

    @property
    def columns(self) -> str:
        """The required columns, for a sentence."""
        return " and ".join(map(repr, self.required))

    def refuse(self, problem: str, *, hint: str) -> UsageError:
        """Refuse a whole file."""
        return UsageError(f"the {self.noun} cannot be used: {problem}", code=self.code, hint=hint)
