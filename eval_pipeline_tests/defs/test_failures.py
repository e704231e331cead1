"""Errors as the Dagster UI shows them."""

import dagster as dg
import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.defs.failures import explained, explanation


def test_an_explained_error_becomes_a_failure_with_code_and_hint() -> None:
    with pytest.raises(dg.Failure) as raised, explained():
        raise UsageError("the file is empty", code="invalid_dataset", hint="add rows")

    assert raised.value.description == "the file is empty\nhint: add rows"
    assert raised.value.metadata["code"].value == "invalid_dataset"
    assert raised.value.metadata["hint"].value == "add rows"
    assert not raised.value.allow_retries


def test_an_unknown_error_is_not_touched() -> None:
    with pytest.raises(KeyError), explained():
        raise KeyError("what")


@dg.op
def explaining() -> None:
    with explained():
        raise UsageError("the file is empty", code="invalid_dataset", hint="add rows")


@dg.op
def crashing() -> None:
    raise KeyError("what")


@dg.op
def working() -> None:
    """Do nothing."""


def _explanation(op: dg.OpDefinition) -> object:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job = dg.JobDefinition(name="one", graph_def=dg.GraphDefinition(name="one", node_defs=[op]))
    found = explanation(job.execute_in_process(run_config=quiet, raise_on_error=False))
    return found and (found.message, found.code, found.hint)


def test_what_stopped_a_run_is_read_back() -> None:
    assert _explanation(explaining) == ("the file is empty", "invalid_dataset", "add rows")


def test_an_unknown_error_is_read_back_as_internal() -> None:
    said = _explanation(crashing)

    assert isinstance(said, tuple)
    assert said[1] == "internal_error"


def test_nothing_stopped_a_run_that_succeeded() -> None:
    assert _explanation(working) is None
