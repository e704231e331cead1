"""Our errors as Dagster shows them: what happened and what to do, without a stack trace to read first."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError

from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.secrets import without_secrets
from eval_pipeline.core.system_errors import explain_system
from eval_pipeline.runs.interruption import WorkInterrupted


@contextmanager
def explained() -> Iterator[None]:
    """Turn an explained error into a Dagster failure; the op is not retried, for the run resumes by itself.

    Work that somebody ended is what Dagster itself raises then, so that the run counts as interrupted. Dagster stores
    an exception with all that caused it: no known secret is among that.
    """
    try:
        yield
    except WorkInterrupted:
        raise DagsterExecutionInterruptedError from None
    except EvalPipelineError as error:
        without_secrets(error)
        raise _failure(error) from error
    except Exception as error:
        clean = without_secrets(error)
        if told := explain_system(clean):
            raise _failure(told) from clean
        if clean is not error:
            raise clean from None
        raise


def _failure(error: EvalPipelineError) -> dg.Failure:
    return dg.Failure(
        description=f"{error.message}\nhint: {error.hint}",
        metadata={"code": error.code, "message": error.message, "hint": error.hint},
        allow_retries=False,
    )


def explanation(result: dg.ExecuteInProcessResult) -> EvalPipelineError | None:
    """Read the first failure of a run back; None when every step succeeded."""
    failures = (event.step_failure_data for event in result.all_events if event.is_step_failure)
    first = next(failures, None)
    if first is None:
        return None if result.success else _ended_early()
    if first.user_failure_data is None:
        what = first.error.message.strip() if first.error else "a step failed"
        return EvalPipelineError(
            what,
            code="internal_error",
            hint="the run's page in the Dagster UI shows where it happened; report it as a defect of eval-pipeline",
        )
    said = {name: str(value.value) for name, value in first.user_failure_data.metadata.items()}
    return EvalPipelineError(said["message"], code=said["code"], hint=said["hint"])


def _ended_early() -> EvalPipelineError:
    """Build the error of a run that Dagster could not bring to an end, such as when its database cannot be written."""
    return EvalPipelineError(
        "Dagster could not carry the run on; the messages above say why",
        code="run_ended_early",
        hint="free the disk or mend the database, then: eval-pipeline run retry RUN; what was answered is kept",
    )
