"""What the environment may hold."""

import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.wiring.settings import Settings


@pytest.mark.parametrize("variable", ["EVAL_BATCH_POLL_SECOND", "EVAL_PIPELINE_HOMES", "EVAL_PIPELINE_DATABASE"])
def test_a_misspelt_variable_is_refused_and_those_that_exist_are_named(variable: str) -> None:
    """A misspelt address of the ledger would be another ledger."""
    with pytest.raises(UsageError, match=f"unknown setting {variable}") as raised:
        Settings.from_environment({variable: "x"})

    assert raised.value.code == "invalid_setting"
    assert "EVAL_PIPELINE_DATABASE_URL" in raised.value.hint


def test_where_things_lie_and_variables_of_others_are_no_settings() -> None:
    places = ("EVAL_PIPELINE_HOME", "EVAL_PIPELINE_DATABASE_URL", "EVAL_PIPELINE_STORE")

    assert Settings.from_environment(dict.fromkeys((*places, "EVALUATION", "PATH"), "x")) == Settings.from_environment(
        {}
    )
