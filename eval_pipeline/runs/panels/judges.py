"""Who judges in a run: the panel with all of its text, and where each of its experts is asked; frozen with the run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self
from urllib.parse import urlsplit

from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.endpoints import Endpoints as FrozenEndpoints
from eval_pipeline.core.endpoints import FrozenEndpoint, frozen_of
from eval_pipeline.core.names import shown
from eval_pipeline.core.protocols import GEMINI, OPENAI
from eval_pipeline.core.runs import RunMode
from eval_pipeline.judging.canaries import CANARY_ITEMS
from eval_pipeline.judging.cuts import token_budget
from eval_pipeline.judging.identity import judge_fingerprint
from eval_pipeline.judging.material import Rendered
from eval_pipeline.judging.panel import Expert, Panel, model_family, panel_document, read_panel_document
from eval_pipeline.judging.prompt import OUTPUT_TOKENS, request_body
from eval_pipeline.judging.rubric import Axis
from eval_pipeline.wiring import models
from eval_pipeline.wiring.endpoints import Endpoints

DEFAULT_WINDOW: Final = 128_000
"""Tokens of a model whose window nobody publishes."""
_GEMINI: Final = ("gemini-", "models/gemini-")


@dataclass(frozen=True, slots=True)
class Seat:
    """One expert of a panel, and where and how it is asked."""

    expert: Expert
    endpoint: str
    """Its name."""
    model: str
    """As the endpoint knows it."""
    mode: RunMode
    structured: bool
    """Whether the server takes a schema; else it is part of what the judge reads."""
    window_tokens: int
    fingerprint: str
    """Of all that shapes its verdicts."""

    @property
    def id(self) -> str:
        """The expert's."""
        return self.expert.id

    @property
    def asked(self) -> Expert:
        """The expert, its model as its endpoint knows it."""
        return replace(self.expert, model=self.model)

    @property
    def output_tokens(self) -> int:
        """Of one answer, at most."""
        limit = self.expert.params.get("max_output_tokens")
        return limit if isinstance(limit, int) and limit > 0 else OUTPUT_TOKENS

    @property
    def budget_tokens(self) -> int:
        """What material may take of its window."""
        return token_budget(window_tokens=self.window_tokens, output_tokens=self.output_tokens)

    def to_json(self) -> JsonDict:
        """Return what a specification keeps of it beside the panel."""
        return {
            "expert": self.expert.id,
            "endpoint": self.endpoint,
            "model": self.model,
            "mode": str(self.mode),
            "structured": self.structured,
            "window_tokens": self.window_tokens,
            "judge_fingerprint": self.fingerprint,
        }


@dataclass(frozen=True, slots=True)
class Judges:
    """A panel at its seats."""

    panel: Panel
    seats: tuple[Seat, ...]
    samples: int = 1
    seed: int = 0
    """What draws the items that carry canaries."""
    canaries: int = CANARY_ITEMS
    """How many items carry them."""

    @property
    def main_axis(self) -> Axis | None:
        """The axis that an item has no score without: the first that needs evidence, else the first required one."""
        axes = [axis for axis in self.panel.rubric.axes.values() if axis.required and not axis.covariate]
        return next((axis for axis in axes if axis.evidence_from is not None), axes[0] if axes else None)

    @property
    def modes(self) -> frozenset[RunMode]:
        """How experts are asked."""
        return frozenset(seat.mode for seat in self.seats)

    def axes_of(self, seat: Seat, *, applying: Sequence[str]) -> tuple[Axis, ...]:
        """Return what an expert rates of an item, in the order of the rubric."""
        return tuple(self.panel.rubric.axes[name] for name in seat.expert.axes if name in applying)

    def to_json(self) -> JsonDict:
        """Return the JSON form that a specification keeps: all text of the panel is in it."""
        return {
            "panel": panel_document(self.panel),
            "panel_fingerprint": self.panel.fingerprint,
            "seats": [seat.to_json() for seat in self.seats],
            "samples": self.samples,
            "seed": self.seed,
            "canaries": self.canaries,
        }

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read the JSON form back."""
        panel = read_panel_document(value["panel"])
        experts = {expert.id: expert for expert in panel.experts}
        return cls(
            panel=panel,
            seats=tuple(_seat(experts, seat) for seat in value["seats"]),
            samples=value["samples"],
            seed=value["seed"],
            canaries=value["canaries"],
        )


def _seat(experts: Mapping[str, Expert], value: Json) -> Seat:
    return Seat(
        expert=experts[value["expert"]],
        endpoint=value["endpoint"],
        model=value["model"],
        mode=RunMode(value["mode"]),
        structured=value["structured"],
        window_tokens=value["window_tokens"],
        fingerprint=value["judge_fingerprint"],
    )


def endpoint_and_model(text: str, *, endpoints: Endpoints) -> tuple[str, str]:
    """Read ``ENDPOINT/MODEL``; without an endpoint the name tells: ``gemini-…`` is Gemini's, any other OpenAI's."""
    named = endpoints.split(text)
    if named.endpoint is not None:
        return named.endpoint, named.model
    return (GEMINI if text.startswith(_GEMINI) else OPENAI), text


def seat_panel(panel: Panel, *, endpoints: Endpoints, mode: RunMode, samples: int, seed: int) -> Judges:
    """Say where every expert is asked, and refuse what cannot be asked; nothing is paid.

    Raises:
        UsageError: ``endpoint_not_configured``, ``not_offered_by_endpoint`` or ``invalid_config``, with the expert.
    """
    asked = {expert.id: endpoint_and_model(expert.model, endpoints=endpoints) for expert in panel.experts}
    frozen = endpoints.frozen(asked.values())
    seats = tuple(
        _seated(expert, panel, *asked[expert.id], endpoints=endpoints, frozen=frozen, mode=mode)
        for expert in panel.experts
    )
    return Judges(panel=panel, seats=seats, samples=samples, seed=seed)


def _seated(
    expert: Expert,
    panel: Panel,
    name: str,
    model: str,
    *,
    endpoints: Endpoints,
    frozen: FrozenEndpoints,
    mode: RunMode,
) -> Seat:
    endpoint = endpoints.find(name)
    if endpoint.plan.is_one_model:
        raise invalid_config(
            f"expert {shown(expert.id)} asks {shown(name)}, which is one assistant with instructions of its own",
            "let a judge be a model: ENDPOINT/MODEL of an endpoint that takes instructions",
        )
    axes = tuple(panel.rubric.axes[axis] for axis in expert.axes)
    at = frozen_of(frozen, name)
    asked = replace(expert, model=model)
    structured = endpoint.plan.takes_schema and expert.takes_schema
    window = models.window_tokens(at, model) or DEFAULT_WINDOW
    body = request_body(
        asked, rubric=panel.rubric, axes=axes, rendered=Rendered("", "0" * 8, 0), cell="", structured=structured
    )
    endpoint.plan.check_body({key: value for key, value in body.items() if key != "input"})
    return Seat(
        expert=expert,
        endpoint=name,
        model=model,
        mode=models.answer_mode(at, mode=mode),
        structured=structured,
        window_tokens=window,
        fingerprint=judge_fingerprint(
            asked,
            rubric=panel.rubric,
            axes=axes,
            protocol=str(at.protocol),
            host=host_of(at),
            structured=structured,
        ),
    )


def host_of(endpoint: FrozenEndpoint) -> str:
    """Return host and port of an endpoint: what of its address tells whose model it is."""
    return urlsplit(endpoint.base_url).netloc.rpartition("@")[2].lower()


def panel_notes(panel: Panel) -> list[dict[str, str]]:
    """Say what a person should know of a panel before it is asked."""
    families = {model_family(expert.model) for expert in panel.experts}
    if len(panel.experts) == 1 or len(families) > 1:
        return []
    return [
        {
            "code": "one_model_family",
            "message": f"all {len(panel.experts)} experts of panel {shown(panel.version)} are of one model family "
            f"({next(iter(families))}): they share its blind spots, and favour models of their own family",
            "hint": "give one expert a model of another family",
        }
    ]
