"""Reads panels and rubrics from YAML; whatever is wrong is said with its place, its value and what would be right."""

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final, NoReturn, TypeVar

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.intake.yaml_file import UnreadableYamlError, read_yaml
from eval_pipeline.judging.panel import Expert, Panel
from eval_pipeline.judging.rubric import CANNOT_JUDGE, NOT_APPLICABLE, AppliesTo, Axis, Rubric

INVALID_PANEL: Final = "invalid_panel"
ALL_AXES: Final = "all"
FULL: Final = "full"
"""A panel in which every expert rates all axes."""
PANEL_KEYS = frozenset({"version", "panel", "rubric", "experts"})
RUBRIC_KEYS = frozenset({"version", "axes"})
AXIS_KEYS = frozenset({"says", "levels", "required", "applies_to", "covariate", "evidence_from"})
EXPERT_KEYS = frozenset({"id", "model", "axes", "prompt", "params", "weight", "schema"})
OWN_PARAMS = frozenset({"model", "input", "instructions", "text", "tools", "stream", "store", "metadata"})
"""Of a request's body, what the judge's request sets itself."""
AXIS_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
EXPERT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
LEVEL: Final = re.compile(r"\d{1,6}(\.\d{1,3})?")
MOST_EXPERTS: Final = 50
MOST_LEVELS: Final = 20
T = TypeVar("T")


def built_in_panel(name: str) -> Panel:
    """Return a panel that comes with the package: ``sessions`` or ``answers``."""
    data = resources.files("eval_pipeline.judging.built_in").joinpath(f"{name}.yaml").read_bytes()
    return read_panel(data, source=f"built-in panel {name}")


def read_panel(data: bytes, *, source: str) -> Panel:
    """Read a panel.

    Args:
        data: the bytes of its file.
        source: how to name it in errors.

    Raises:
        UsageError: ``invalid_panel``, with the place of what is wrong.
    """
    try:
        document = read_yaml(data)
    except UnreadableYamlError as error:
        where = f"line {error.line:,}: " if error.line else ""
        raise UsageError(
            f"{source} cannot be read: {where}{error.why}",
            code=INVALID_PANEL,
            hint="it is a YAML file of version, rubric and experts",
        ) from None
    root = _Place(source, "", document)
    keys = root.mapping(known=PANEL_KEYS, needed=("version", "rubric", "experts"))
    rubric = _rubric(keys["rubric"])
    is_full = "panel" in keys and keys["panel"].one_of((FULL,)) == FULL
    experts = tuple(_expert(place, rubric, is_full=is_full) for place in keys["experts"].items(most=MOST_EXPERTS))
    _check_experts(keys["experts"], experts, rubric)
    return Panel(version=keys["version"].label(), rubric=rubric, experts=experts)


@dataclass(frozen=True, slots=True)
class _Place:
    """One value of the file and the way to it."""

    source: str
    path: str
    value: object

    def wrong(self, what: str, hint: str) -> NoReturn:
        where = f"{self.path} " if self.path else "it "
        raise UsageError(f"{self.source}: {where}{what}", code=INVALID_PANEL, hint=hint)

    def inside(self, key: object, value: object) -> "_Place":
        if isinstance(key, int):
            return _Place(self.source, f"{self.path}[{key}]", value)
        name = str(key) if EXPERT_ID.fullmatch(str(key)) else shown(str(key))
        return _Place(self.source, f"{self.path}.{name}" if self.path else name, value)

    def mapping(self, *, known: Collection[str] | None, needed: Collection[str] = ()) -> "dict[str, _Place]":
        """Return what lies under each key; with ``known`` no other key may be there."""
        if not isinstance(self.value, dict):
            self.wrong(f"is {_kind(self.value)}, not a mapping", "write its keys below it, indented")
        for key in self.value:
            if known is not None and key not in known:
                self.wrong(f"has the unknown key {shown(str(key))}", f"known are {', '.join(sorted(known))}")
        for key in needed:
            if key not in self.value:
                self.wrong(f"has no {key}", f"give it; {', '.join(sorted(needed))} must be there")
        return {str(key): self.inside(key, value) for key, value in self.value.items()}

    def items(self, *, most: int) -> "list[_Place]":
        if not isinstance(self.value, list) or not self.value:
            self.wrong(f"is {_kind(self.value)}, not a list of one or more", "begin each entry with a dash")
        if len(self.value) > most:
            self.wrong(f"has {len(self.value)} entries, of {most} at most", "leave some out")
        return [self.inside(place, value) for place, value in enumerate(self.value)]

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value.strip():
            self.wrong(f"is {_kind(self.value)}, not a text", "write some words")
        return self.value.strip()

    def label(self) -> str:
        """Return a version: a text, or a number as people write it."""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int | float):
            self.wrong(f"is {_kind(self.value)}, not a label", "a number or a short text, such as 3")
        return str(self.value)

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.wrong(f"is {_kind(self.value)}, not true or false", "true or false")
        return self.value

    def number(self, *, least: float) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.wrong(f"is {_kind(self.value)}, not a number", f"a number from {least:g}")
        if not (math.isfinite(self.value) and self.value >= least):
            self.wrong(f"is {self.value}", f"a number from {least:g}")
        return float(self.value)

    def one_of(self, words: Collection[str]) -> str:
        if self.value not in words:
            self.wrong(f"is {shown(str(self.value))}", f"one of {', '.join(words)}")
        return str(self.value)

    def matching(self, form: re.Pattern[str], hint: str) -> str:
        text = self.text()
        if not form.fullmatch(text):
            self.wrong(f"is {shown(text)}", hint)
        return text


def _rubric(place: _Place) -> Rubric:
    keys = place.mapping(known=RUBRIC_KEYS, needed=("version", "axes"))
    axes = keys["axes"].mapping(known=None)
    if not axes:
        keys["axes"].wrong("has no axis", "name what is rated, with its levels")
    return Rubric(version=keys["version"].label(), axes={name: _axis(name, axis) for name, axis in axes.items()})


def _axis(name: str, place: _Place) -> Axis:
    if not AXIS_NAME.fullmatch(name):
        place.wrong("is no name of an axis", "small letters, digits and underscores, such as goal_completion")
    keys = place.mapping(known=AXIS_KEYS, needed=("levels",))
    levels = _levels(keys["levels"])
    return Axis(
        name=name,
        says=_given(keys, "says", _Place.text, default=name.replace("_", " ")),
        levels=levels,
        required=_given(keys, "required", _Place.flag, default=True),
        applies_to=_given(keys, "applies_to", _applies_to, default=AppliesTo.ALL),
        covariate=_given(keys, "covariate", _Place.flag, default=False),
        evidence_from=_given(keys, "evidence_from", lambda at: at.number(least=0), default=None),
    )


def _applies_to(place: _Place) -> AppliesTo:
    return AppliesTo(place.one_of(list(AppliesTo)))


def _given(keys: Mapping[str, _Place], name: str, read: Callable[[_Place], T], *, default: T) -> T:
    return read(keys[name]) if name in keys else default


def _levels(place: _Place) -> dict[str, str]:
    """Return the anchors by level, lowest first; a level is written as a number."""
    anchors = place.mapping(known=None)
    if not 2 <= len(anchors) <= MOST_LEVELS:  # noqa: PLR2004 - one level tells nothing apart
        place.wrong(f"has {len(anchors)} levels", f"write out 2 to {MOST_LEVELS}")
    for level, anchor in anchors.items():
        if not LEVEL.fullmatch(level):
            anchor.wrong("is no number", f"levels are numbers from 0; {CANNOT_JUDGE} and {NOT_APPLICABLE} are added")
        anchor.text()
    if len({float(level) for level in anchors}) < len(anchors):
        place.wrong("names one level twice", "each level once, such as 50 or 50.0")
    return {level: anchors[level].text() for level in sorted(anchors, key=float)}


def _expert(place: _Place, rubric: Rubric, *, is_full: bool) -> Expert:
    keys = place.mapping(known=EXPERT_KEYS, needed=("id", "model") if is_full else ("id", "model", "axes"))
    axes = tuple(rubric.axes) if is_full else _axes_of(keys["axes"], rubric)
    params = keys["params"].mapping(known=None) if "params" in keys else {}
    for name, param in params.items():
        if name in OWN_PARAMS:
            param.wrong("is set by the judge's request itself", "leave it out")
    return Expert(
        id=keys["id"].matching(EXPERT_ID, "letters, digits, dot, dash, underscore and @, 64 at most"),
        model=keys["model"].matching(re.compile(r"\S{1,256}"), "ENDPOINT/MODEL, such as openai/gpt-4.1-mini"),
        axes=axes,
        prompt=_given(keys, "prompt", _Place.text, default=""),
        params={name: _plain(param) for name, param in params.items()},
        weight=_given(keys, "weight", lambda at: at.number(least=0), default=1.0),
        takes_schema=_given(keys, "schema", _Place.flag, default=True),
    )


def _axes_of(place: _Place, rubric: Rubric) -> tuple[str, ...]:
    if place.value == ALL_AXES:
        return tuple(rubric.axes)
    named = {entry.one_of(tuple(rubric.axes)) for entry in place.items(most=len(rubric.axes))}
    return tuple(name for name in rubric.axes if name in named)


def _plain(place: _Place) -> object:
    """Return a parameter; YAML also knows dates, which no request does."""
    value = place.value
    if isinstance(value, dict):
        return {str(key): _plain(place.inside(key, inner)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(place.inside(key, inner)) for key, inner in enumerate(value)]
    if value is not None and not isinstance(value, str | int | float | bool):
        place.wrong(f"is {_kind(value)}", "write it in quotes")
    return value


def _check_experts(place: _Place, experts: tuple[Expert, ...], rubric: Rubric) -> None:
    ids = [expert.id for expert in experts]
    if twice := next((one for one in ids if ids.count(one) > 1), None):
        place.wrong(f"name {shown(twice)} twice", "every expert has an id of its own")
    for axis in rubric.axes.values():
        weights = [expert.weight for expert in experts if axis.name in expert.axes]
        if axis.required and not weights:
            place.wrong(f"rate {axis.name} nowhere, which is required", "give it to an expert, or required: false")
        if weights and not any(weights):
            place.wrong(f"of {axis.name} all have weight 0", "let one at least weigh something")


def _kind(value: object) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return shown(value)
        case _:
            return f"the {type(value).__name__} {shown(str(value))}"
