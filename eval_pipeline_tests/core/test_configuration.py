import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Optional

import pytest

from eval_pipeline.core.configuration import check_range, read_mapping, read_request
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.options import OTHER_MODE_WORDS, OptionKind, RunOption, config_file, options_of
from eval_pipeline.core.runs import RunMode

OPTIONS = (
    RunOption(name="dataset"),
    RunOption(name="note"),
    RunOption(name="count", kind=OptionKind.WHOLE),
    RunOption(name="share", kind=OptionKind.NUMBER),
    RunOption(name="other", kind=OptionKind.VALUES),
    config_file("All of these."),
)


def read(values: Mapping[Any, Any]) -> dict[str, Any]:
    return read_mapping(values, options=OPTIONS)


def test_null_means_the_default_and_the_rest_stays_as_it_is() -> None:
    given = {"dataset": "clips", "note": None, "count": 2, "share": 1, "other": [object]}

    assert read(given) == {"dataset": "clips", "count": 2, "share": 1, "other": [object]}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dataset": "a", "datasets": "b"}, "unknown key 'datasets'"),
        ({"dataset": "a", 5: "b", "x": 1}, "unknown key '5'"),
        ({"dataset": "a", "config_file": "b"}, "unknown key 'config_file'"),
        ({"dataset": "a", "x" * 1_000: 1}, "(1,000 characters)"),
        ({}, "no dataset"),
        ({"dataset": ""}, "no dataset"),
        ({"dataset": None}, "no dataset"),
        ({"dataset": 7}, "dataset is '7', which is no text"),
        ({"dataset": "a", "note": ["b"]}, "note is"),
        ({"dataset": "a", "count": 2.0}, "count is '2.0'"),
        ({"dataset": "a", "count": True}, "count is 'True'"),
        ({"dataset": "a", "count": "2"}, "count is '2'"),
        ({"dataset": "a", "share": "half"}, "share is 'half'"),
        ({"dataset": "a", "share": False}, "share is 'False'"),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_value(values: Mapping[Any, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(values)

    assert caught.value.code == "invalid_config"
    assert words in caught.value.message
    assert len(caught.value.message) < 200
    assert caught.value.hint


@pytest.mark.parametrize("value", [0, 1, 0.5, 1.0])
def test_the_ends_of_a_range_belong_to_it(value: float) -> None:
    check_range("share", value=value, low=0, high=1)


@pytest.mark.parametrize("value", [-0.001, 1.001, math.nan, math.inf, -math.inf, True, "1", None, 10**400])
def test_what_lies_outside_of_a_range_or_is_no_number_is_refused(value: Any) -> None:  # noqa: ANN401 - whatever YAML holds
    with pytest.raises(UsageError, match="share is") as caught:
        check_range("share", value=value, low=0, high=1)

    assert "from 0 to 1" in caught.value.hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as a flow has one."""

    dataset: Annotated[str, RunOption(help="Which.")]
    mode: Annotated[RunMode, RunOption(also=OTHER_MODE_WORDS)] = RunMode.BATCH
    note: Annotated[str, RunOption()] = "none"
    count: Annotated[int | None, RunOption(metavar="N")] = None
    share: Annotated[Optional[float], RunOption()] = None  # noqa: UP045 - this spelling is read as well
    other: Annotated[tuple[str, ...], RunOption(kind=OptionKind.TEXTS, flag="one")] = ()


def test_a_request_says_once_what_may_be_set() -> None:
    options = {option.name: option for option in options_of(Asked)}

    assert {name: option.kind for name, option in options.items()} == {
        "dataset": OptionKind.TEXT,
        "mode": OptionKind.WORD,
        "note": OptionKind.TEXT,
        "count": OptionKind.WHOLE,
        "share": OptionKind.NUMBER,
        "other": OptionKind.TEXTS,
    }
    assert options["mode"].choices == ("batch", "fast")
    assert [option.default for option in options.values()] == ["", "batch", "none", None, None, None]
    assert (options["dataset"].help, options["count"].metavar, options["other"].flag) == ("Which.", "N", "one")


@pytest.mark.parametrize("word", ["fast", "live"])
def test_a_mode_is_read_by_either_word(word: str) -> None:
    assert read_request(Asked, {"dataset": "a", "mode": word}) == Asked(dataset="a", mode=RunMode.FAST)


def _asked_mode(value: object) -> RunMode:
    return read_request(Asked, {"dataset": "a", "mode": value}).mode


def test_modes_are_read_or_refused() -> None:
    assert _asked_mode(None) is RunMode.BATCH
    for value in ("slow", 5, ["fast"], "FAST", "x" * 10_000):
        with pytest.raises(UsageError) as caught:
            _asked_mode(value)
        assert caught.value.code == "invalid_config"
        assert len(caught.value.message) < 200
