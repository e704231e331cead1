"""The registry of scorers, and the configuration of one in a run.

To add a scorer, write its function and give it an entry in ``SCORERS``: its keyword arguments become the parameters
that a run may set, its docstring the description. Raise the version whenever the same pair may score differently.
"""

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.text_eval.scoring.score_values import DataType, ScoreValue
from eval_pipeline.text_eval.scoring.scorers_embedding import VectorPair, cosine_similarity
from eval_pipeline.text_eval.scoring.scorers_numeric import holds_quantity, numeric
from eval_pipeline.text_eval.scoring.scorers_pattern import regex
from eval_pipeline.text_eval.scoring.scorers_text import TextRule, chrf, contains, exact_match, token_f1

ParamValue = bool | float | str
GoldenCheck = Callable[[str], bool]
VectorRule = Callable[[Sequence[VectorPair]], list[ScoreValue]]


@dataclass(frozen=True, slots=True)
class Scorer:
    """One way to score an answer, and the range of its values."""

    data_type: DataType
    version: int
    low: float
    high: float

    @property
    def needs_golden(self) -> bool:
        """Whether it compares with a golden answer."""
        return True

    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """Return the parameters that a run may set."""
        return {}


@dataclass(frozen=True, slots=True)
class TextScorer(Scorer):
    """Compares texts, pair by pair."""

    make_rule: Callable[..., TextRule]
    """Takes the parameters as keywords; raises ValueError for a bad value."""
    shorthand: str | None = None
    """The parameter that ``name:VALUE`` sets."""
    make_golden_check: Callable[..., GoldenCheck] | None = None
    """Takes the same parameters; what it returns tells whether a golden answer can be scored against."""
    golden_needs: str = ""
    """What a golden answer lacks that does not pass: "no quantity that can be read"."""
    looks_at_golden: bool = True

    @property
    def needs_golden(self) -> bool:
        """Whether it compares with a golden answer."""
        return self.looks_at_golden

    def parameters(self) -> Mapping[str, inspect.Parameter]:
        """Return the keyword arguments of ``make_rule``."""
        return inspect.signature(self.make_rule).parameters


@dataclass(frozen=True, slots=True)
class VectorScorer(Scorer):
    """Compares embeddings, many pairs at once."""

    rule: VectorRule


SCORERS: Mapping[str, TextScorer | VectorScorer] = {
    "cosine_similarity": VectorScorer(DataType.NUMERIC, version=1, low=-1.0, high=1.0, rule=cosine_similarity),
    "exact_match": TextScorer(DataType.BOOLEAN, version=3, low=0.0, high=1.0, make_rule=exact_match),
    "contains": TextScorer(DataType.BOOLEAN, version=3, low=0.0, high=1.0, make_rule=contains),
    "regex": TextScorer(
        DataType.BOOLEAN,
        version=2,
        low=0.0,
        high=1.0,
        make_rule=regex,
        shorthand="pattern",
        looks_at_golden=False,
    ),
    "numeric": TextScorer(
        DataType.BOOLEAN,
        version=4,
        low=0.0,
        high=1.0,
        make_rule=numeric,
        make_golden_check=holds_quantity,
        golden_needs="no quantity that can be read",
    ),
    "token_f1": TextScorer(DataType.NUMERIC, version=3, low=0.0, high=1.0, make_rule=token_f1),
    "chrf": TextScorer(DataType.NUMERIC, version=2, low=0.0, high=1.0, make_rule=chrf),
}


@dataclass(frozen=True, slots=True)
class ScorerConfig:
    """A scorer as one run uses it. A parameter that is not set has its default at the time of scoring."""

    name: str
    params: Mapping[str, ParamValue] = field(default_factory=dict)
    label: str | None = None
    """What the score is called, where one scorer is used twice in a run."""

    @property
    def scorer(self) -> TextScorer | VectorScorer:
        """The entry of the registry."""
        return SCORERS[self.name]

    @property
    def score_name(self) -> str:
        """What the score is called in tables and reports."""
        return self.label or self.name

    @property
    def needs_embeddings(self) -> bool:
        """Whether it compares embeddings."""
        return isinstance(self.scorer, VectorScorer)

    @property
    def version(self) -> str:
        """Which scoring made a result, such as ``numeric/1``."""
        return f"{self.name}/{self.scorer.version}"

    def to_json(self) -> dict[str, ParamValue]:
        """Return the JSON form, which ``parse_scorer`` reads back."""
        label = {} if self.label is None else {"label": self.label}
        return {"name": self.name, **label, **self.params}


def parse_scorer(value: str | Json) -> ScorerConfig:
    """Read ``numeric``, ``regex:PATTERN`` or ``{name: numeric, tolerance: 0.01}``, with every default filled in."""
    if isinstance(value, str):
        given = _from_shorthand(value)
    elif isinstance(value, Mapping):
        given = dict(value)
    else:
        raise _invalid(f"scorer {shown(str(value))} is neither a name nor a mapping", "write {name: numeric}")
    name = given.pop("name", None)
    if name is None:
        raise _invalid(f"scorer {shown(str(value))} has no name", "write {name: numeric, tolerance: 0.01}")
    scorer = _find(name)
    label = _label(given.pop("label", None), name=name)
    config = ScorerConfig(name=name, params=_params(scorer, name=name, given=given), label=label)
    _check(config)
    return config


def parse_scorers(values: Sequence[str | Json]) -> tuple[ScorerConfig, ...]:
    """Read the scorers of a run; every score needs a name of its own."""
    configs = tuple(parse_scorer(value) for value in values)
    names = [config.score_name for config in configs]
    for name in names:
        if names.count(name) > 1:
            raise _invalid(
                f"two scores are called {shown(name)}", "give one a label: {name: regex, label: …, pattern: …}"
            )
    return configs


def scorer_versions(configs: Sequence[ScorerConfig]) -> dict[str, str]:
    """Return score name to scorer version, for the metadata of results."""
    return {config.score_name: config.version for config in configs}


def outdated(stored: Mapping[str, str]) -> dict[str, str]:
    """Return the scores that an earlier version of their scorer made, each with the version that scores now."""
    present = {name: f"{name}/{scorer.version}" for name, scorer in SCORERS.items()}
    now = {score: present.get(version.partition("/")[0], version) for score, version in stored.items()}
    return {score: version for score, version in now.items() if version != stored[score]}


def describe_scorers() -> dict[str, str]:
    """Return scorer name to what it computes, for documentation."""
    functions = {
        name: entry.make_rule if isinstance(entry, TextScorer) else entry.rule for name, entry in SCORERS.items()
    }
    return {name: inspect.getdoc(function) or "" for name, function in functions.items()}


def _from_shorthand(text: str) -> JsonDict:
    name, separator, rest = text.partition(":")
    if not separator:
        return {"name": text}
    scorer = _find(name)
    if not isinstance(scorer, TextScorer) or scorer.shorthand is None:
        raise _invalid(f"scorer {name!r} takes nothing after ':'", f"write a mapping: {{name: {name}, …}}")
    return {"name": name, scorer.shorthand: rest}


def _find(name: object) -> TextScorer | VectorScorer:
    if isinstance(name, str) and name in SCORERS:
        return SCORERS[name]
    raise UsageError(
        f"unknown scorer {shown(str(name))}", code="unknown_scorer", hint=f"known: {', '.join(SCORERS)}; regex:PATTERN"
    )


def _label(value: object, *, name: str) -> str | None:
    if value is None or (isinstance(value, str) and value.strip() and len(value) <= 100 and value.isprintable()):  # noqa: PLR2004 - as for all names
        return value
    raise _invalid(f"label {shown(str(value))} of scorer {name!r} is no name", "use 1 to 100 printable characters")


def _params(scorer: Scorer, *, name: str, given: Json) -> dict[str, ParamValue]:
    known = scorer.parameters()
    for key in given:
        if key not in known:
            listed = ", ".join(known) or "none"
            raise _invalid(f"unknown parameter {shown(str(key))} of scorer {name!r}", f"known: {listed}")
    params = {key: given.get(key, parameter.default) for key, parameter in known.items()}
    return {key: _checked(value, parameter=known[key], name=name) for key, value in params.items()}


def _checked(value: object, *, parameter: inspect.Parameter, name: str) -> ParamValue:
    if value is inspect.Parameter.empty:
        raise _invalid(f"scorer {name!r} needs {parameter.name!r}", f"write {{name: {name}, {parameter.name}: …}}")
    if parameter.annotation is bool and isinstance(value, bool):
        return value
    if parameter.annotation is str and isinstance(value, str):
        return value
    if parameter.annotation is float and isinstance(value, int | float) and _is_finite(value):
        return float(value)
    kind = {bool: "true or false", str: "text", float: "a number"}[parameter.annotation]
    raise _invalid(f"{parameter.name} of scorer {name!r} is {shown(str(value))}", f"give {kind}")


def _is_finite(value: float) -> bool:
    return not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _check(config: ScorerConfig) -> None:
    """Make the rule once, so that a bad pattern is told before anything is paid for."""
    scorer = config.scorer
    if not isinstance(scorer, TextScorer):
        return
    try:
        scorer.make_rule(**config.params)
    except ValueError as error:
        raise _invalid(f"scorer {config.name!r}: {error}", "change its parameters") from error


def _invalid(message: str, hint: str) -> UsageError:
    return UsageError(message, code="invalid_scorer", hint=hint)
