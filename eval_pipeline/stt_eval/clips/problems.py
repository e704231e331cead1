"""What is wrong with the samples of a dataset, all of it in one error, the first of it in full."""

from dataclasses import dataclass, field

from eval_pipeline.core.errors import UsageError

SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row or a file cannot be used."""

    line: int | None
    """Of the manifest; None in a folder."""
    file_name: str | None
    """Quoted; None when the row does not name one."""
    text: str

    def __str__(self) -> str:
        return f"{place(self.line, self.file_name)}: {self.text}"


def place(line: int | None, file_name: str | None) -> str:
    """Say where something stands: ``line 3, 'a.wav'``."""
    return ", ".join(part for part in (None if line is None else f"line {line:,}", file_name) if part)


@dataclass(slots=True)
class Problems:
    """Counts problems and keeps the first."""

    count: int = 0
    first: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """Note one."""
        self.count += 1
        if len(self.first) < SHOWN_PROBLEMS:
            self.first.append(problem)

    def error(self) -> UsageError:
        """Build the error that tells them all."""
        told = sorted(self.first, key=lambda problem: problem.line or 0)
        lines = [f"\n  {problem}" for problem in told]
        if self.count > len(told):
            lines.append(f"\n  … and {self.count - len(told):,} more")
        subject = "1 sample cannot be used" if self.count == 1 else f"{self.count:,} samples cannot be used"
        return UsageError(
            f"nothing was added: {subject}:{''.join(lines)}",
            code="invalid_dataset",
            hint="mend or remove what is named and add the dataset again; clips that are stored are not sent twice",
        )
