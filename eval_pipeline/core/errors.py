"""What can go wrong in a way that a person must act on.

    EvalPipelineError
    ├── UsageError              the request itself is wrong          exit 2 where noted, else 1
    ├── ConflictError           the world is already otherwise
    ├── NotFoundError           the named thing does not exist
    ├── UnavailableError        a store, database or provider cannot be reached; try again later
    ├── InterruptedRunError     somebody ended the process           exit 130
    ├── QualityGateError        a threshold was missed               exit 100
    └── IncompleteError         stopped early and resumable          exit 101

Every error carries a machine-readable code, what happened (with the value) and a hint that names the remedy.
"""

from typing import ClassVar

from eval_pipeline.core.secrets import redact


class EvalPipelineError(Exception):
    """A failure that is explained to a person: ``code``, ``message``, ``hint``."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, code: str, hint: str) -> None:
        super().__init__(redact(message))
        self.message = redact(message)
        self.code = redact(code)
        self.hint = redact(hint)

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(EvalPipelineError):
    """What was asked for cannot be done as asked: a bad value, an unknown key, a broken file."""


class ConflictError(EvalPipelineError):
    """Something else already holds the name, the stage or the state that was asked for."""


class NotFoundError(EvalPipelineError):
    """The named dataset, run or stage does not exist."""


class UnavailableError(EvalPipelineError):
    """A store, a database or a provider did not answer; nothing is known about what it holds."""


class QualityGateError(EvalPipelineError):
    """A failure threshold was missed; everything that was paid for is stored."""

    exit_code = 100


class IncompleteError(EvalPipelineError):
    """The work stopped at an item boundary (budget, interruption) and can be resumed."""

    exit_code = 101


class InterruptedRunError(EvalPipelineError):
    """The process was told to end while it executed or followed a run; what was done is kept."""

    exit_code = 130

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message, code="run_interrupted", hint=hint)
