"""Scorers are named in a configuration, checked before anything is paid for, and frozen with the run."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.text_eval.scoring.scorers import (
    SCORERS,
    ScorerConfig,
    describe_scorers,
    parse_scorer,
    parse_scorers,
    scorer_versions,
)


@pytest.mark.parametrize("name", [name for name in SCORERS if name != "regex"])
def test_a_name_alone_is_a_scorer(name: str) -> None:
    assert parse_scorer(name).name == name
    assert parse_scorer({"name": name}) == parse_scorer(name)


def test_regex_takes_its_pattern_behind_a_colon_with_further_colons() -> None:
    assert parse_scorer("regex:^A: [0-9]+$").params["pattern"] == "^A: [0-9]+$"


def test_defaults_are_written_out_so_that_a_frozen_run_keeps_them() -> None:
    assert parse_scorer("numeric").to_json() == {
        "name": "numeric",
        "tolerance": 0.0,
        "relative_tolerance": 0.0,
        "decimal_comma": False,
    }


@pytest.mark.parametrize(
    "value",
    [
        "cosine_similarity",
        "regex:\\d+",
        {"name": "numeric", "tolerance": 1},
        {"name": "contains", "whole_words": True, "label": "hält"},
    ],
)
def test_the_json_form_is_read_back(value: str | Mapping[str, Any]) -> None:
    config = parse_scorer(value)

    assert parse_scorer(json.loads(json.dumps(config.to_json()))) == config


def test_only_cosine_similarity_needs_embeddings() -> None:
    assert [name for name in SCORERS if ScorerConfig(name).needs_embeddings] == ["cosine_similarity"]


def test_every_result_can_name_the_version_of_its_scorer() -> None:
    configs = parse_scorers(["numeric", {"name": "regex", "pattern": "x", "label": "has x"}])

    assert scorer_versions(configs) == {"numeric": "numeric/4", "has x": "regex/2"}


@pytest.mark.parametrize("value", ["fuzzy", "", "fuzzy:1", {"name": "fuzzy"}, {"name": 7}, {"name": ["numeric"]}])
def test_an_unknown_scorer_is_refused_with_the_known_ones(value: str | Mapping[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        parse_scorer(value)

    assert caught.value.code == "unknown_scorer"
    assert "cosine_similarity, exact_match, contains, regex, numeric, token_f1" in caught.value.hint


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"name": "numeric", "tolerence": 1}, "'tolerence'.*tolerance, relative_tolerance, decimal_comma"),
        ({"name": "cosine_similarity", "model": "x"}, "'model'.*none"),
        ({"name": "numeric", "tolerance": "wide"}, "'wide'.*a number"),
        ({"name": "numeric", "tolerance": True}, "'True'.*a number"),
        ({"name": "numeric", "tolerance": float("nan")}, "'nan'.*a number"),
        ({"name": "numeric", "tolerance": 10**400}, "a number"),
        ({"name": "numeric", "tolerance": -1}, "negative"),
        ({"name": "numeric", "tolerance": None}, "'None'.*a number"),
        ({"name": "contains", "ignore_case": "no"}, "'no'.*true or false"),
        ({"name": "regex"}, "needs 'pattern'"),
        ({"name": "regex", "pattern": 7}, "'7'.*text"),
        ("regex", "needs 'pattern'"),
        ("regex:", "empty"),
        ("regex:(", "no regular expression"),
        ("regex:a{99999999999999999999}", "no regular expression"),
        ("regex:" + "(" * 2000 + ")" * 2000, "no regular expression"),
        ("numeric:0.01", "nothing after ':'"),
        ({"pattern": "x"}, "no name"),
        (7, "neither a name nor a mapping"),
        ({"name": "numeric", "label": ""}, "label"),
        ({"name": "numeric", "label": "a\nb"}, "label"),
        ({"name": "numeric", "label": 7}, "label"),
    ],
)
def test_a_wrong_configuration_is_refused_with_what_would_be_right(value: object, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_scorer(value)  # type: ignore[arg-type] - what a YAML file may hold

    assert caught.value.code == "invalid_scorer"
    assert re.search(words, str(caught.value))


@pytest.mark.parametrize("pattern", ["(a+)+", "(?:a*)*b", r"(\d+)*", "([a-z]+){2,}", "(?P<word>.+)+x", r"([^\]]+?)+"])
def test_a_pattern_that_may_search_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="for ever"):
        parse_scorer(f"regex:{pattern}")


@pytest.mark.parametrize("pattern", [r"(?:\d+,)*\d+", r"(a|b)+", r"(\+)+", "[(+)]+", r"\(a+\)+", "(a+)?"])
def test_harmless_repetitions_are_not_refused(pattern: str) -> None:
    assert parse_scorer(f"regex:{pattern}").params["pattern"] == pattern


def test_two_scores_of_one_name_need_a_label() -> None:
    with pytest.raises(UsageError, match=r"two scores are called 'regex'.*label"):
        parse_scorers(["regex:a", "regex:b"])

    labelled = parse_scorers(["regex:a", {"name": "regex", "pattern": "b", "label": "second"}])
    assert [config.score_name for config in labelled] == ["regex", "second"]


def test_every_scorer_and_parameter_is_described() -> None:
    assert all(describe_scorers()[name] for name in SCORERS)
    kinds = {parameter.annotation for scorer in SCORERS.values() for parameter in scorer.parameters().values()}
    assert kinds == {bool, float, str}
