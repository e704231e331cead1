"""Who judges: experts with their models, axes and weights."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from eval_pipeline.core.configuration import canonical_sha256
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.judging.rubric import AppliesTo, Axis, Rubric


@dataclass(frozen=True, slots=True)
class Expert:
    """One judge: a model, asked about some axes in its own words."""

    id: str
    model: str
    """``ENDPOINT/MODEL``, or a bare name."""
    axes: tuple[str, ...]
    """In the order of the rubric."""
    prompt: str
    """What it is told beside the rubric: its point of view."""
    params: Json
    """Of the request, such as ``temperature``."""
    weight: float = 1.0
    takes_schema: bool = True
    """Whether its server takes a JSON Schema; else the schema is part of what the judge reads."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A set of experts with one rubric."""

    version: str
    """A label. Its text must not change under it, which the fingerprint shows."""
    rubric: Rubric
    experts: tuple[Expert, ...]

    def owners(self, axis: str) -> tuple[Expert, ...]:
        """Return the experts that rate an axis."""
        return tuple(expert for expert in self.experts if axis in expert.axes)

    @property
    def fingerprint(self) -> str:
        """Digest of all that the file says; two labels may share it, one label may not have two."""
        return canonical_sha256(panel_json(self))


def panel_json(panel: Panel) -> JsonDict:
    """Return all that a panel says, labels left out."""
    return {
        "axes": {
            name: {
                "says": axis.says,
                "levels": dict(axis.levels),
                "required": axis.required,
                "applies_to": str(axis.applies_to),
                "covariate": axis.covariate,
                "evidence_from": axis.evidence_from,
            }
            for name, axis in panel.rubric.axes.items()
        },
        "experts": [
            {
                "id": expert.id,
                "model": expert.model,
                "axes": list(expert.axes),
                "prompt": expert.prompt,
                "params": dict(expert.params),
                "weight": expert.weight,
                **({} if expert.takes_schema else {"takes_schema": False}),
            }
            for expert in panel.experts
        ],
    }


def panel_document(panel: Panel) -> JsonDict:
    """Return a panel whole, labels included, as a specification keeps it."""
    return {"version": panel.version, "rubric_version": panel.rubric.version, **panel_json(panel)}


def read_panel_document(value: Json) -> Panel:
    """Read it back."""
    axes = {
        name: Axis(
            name=name,
            says=axis["says"],
            levels=axis["levels"],
            required=axis["required"],
            applies_to=AppliesTo(axis["applies_to"]),
            covariate=axis["covariate"],
            evidence_from=axis["evidence_from"],
        )
        for name, axis in value["axes"].items()
    }
    experts = tuple(Expert(**{**expert, "axes": tuple(expert["axes"])}) for expert in value["experts"])
    return Panel(version=value["version"], rubric=Rubric(value["rubric_version"], axes), experts=experts)


def with_all_axes(panel: Panel) -> Panel:
    """Return the panel in which every expert rates all axes; it is another one, and has a label of its own."""
    axes = tuple(panel.rubric.axes)
    if all(expert.axes == axes for expert in panel.experts):
        return panel
    experts = tuple(replace(expert, axes=axes) for expert in panel.experts)
    return replace(panel, version=f"{panel.version}+full", experts=experts)


def model_family(model: str) -> str:
    """Return the family that a model belongs to, as far as its name tells: judges favour their own.

    >>> [model_family(name) for name in ("openai/gpt-4.1-mini", "gpt-4o", "gemini/gemini-2.5-flash", "o3")]
    ['gpt', 'gpt', 'gemini', 'gpt']
    """
    name = model.rsplit("/", 1)[-1].lower()
    for family, beginnings in _FAMILIES.items():
        if name.startswith(beginnings):
            return family
    return name.split("-", 1)[0].split(":", 1)[0]


_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "gpt": ("gpt", "chatgpt", "o1", "o3", "o4", "text-davinci", "codex"),
    "gemini": ("gemini", "gemma", "palm"),
    "claude": ("claude",),
    "llama": ("llama", "meta-llama"),
    "mistral": ("mistral", "mixtral", "ministral", "magistral", "codestral"),
    "qwen": ("qwen", "qwq"),
    "deepseek": ("deepseek",),
}
