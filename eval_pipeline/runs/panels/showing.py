"""What judges of a run are shown of an item: the same bytes to every expert with the same room, whenever it is asked.

The nonce of a rendering comes of a secret that the run drew: nobody who wrote an item can have known it, and a repair
days later shows the very same material.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.core.stages import StageRef
from eval_pipeline.judging.canaries import plant
from eval_pipeline.judging.cuts import Cut
from eval_pipeline.judging.detector import Hit, detect, mask
from eval_pipeline.judging.material import RENDERER_VERSION, Material, Rendered, draw_nonce, render, strip_invisible
from eval_pipeline.judging.notes import Shown, from_notes, notes_body, show
from eval_pipeline.judging.prompt import repair_body, request_body
from eval_pipeline.judging.steps import Kind, Step
from eval_pipeline.runs.panels.cells import MASKED, Cell, PanelItem
from eval_pipeline.runs.panels.judges import Judges

MOST_HIT_CHARACTERS: Final = 200
_NONCE_DIGITS: Final = 8
_HELD_CHARACTERS: Final = 16_000_000
_A_HIT: Final = 300
_EMPTY: Final = "(the answer was empty)"
"""What stands for an answer without a text: some providers take no empty turn."""
Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True)
class _Held(Generic[Key, Value]):
    """The values used last, as many as fit."""

    weight: Callable[[Value], int]
    values: OrderedDict[Key, Value] = field(default_factory=OrderedDict)
    total: int = 0

    def get(self, key: Key, make: Callable[[], Value]) -> Value:
        if key in self.values:
            self.values.move_to_end(key)
            return self.values[key]
        value = make()
        self.values[key] = value
        self.total += self.weight(value)
        while self.total > _HELD_CHARACTERS and len(self.values) > 1:
            self.total -= self.weight(self.values.popitem(last=False)[1])
        return value


class Showing:
    """Renders the items of a run; what was used last is kept at hand.

    Args:
        judges: of the run.
        material: reads an item.
        secret: of the run.
        feedback_visible: whether the material tells what people thought.
    """

    def __init__(
        self,
        judges: Judges,
        *,
        material: Callable[[PanelItem], Material],
        secret: str,
        feedback_visible: bool = False,
    ) -> None:
        self._judges = judges
        self._read = material
        self._secret = secret
        self._feedback_visible = feedback_visible
        self._materials: _Held[str, Material] = _Held(_characters)
        self._hits: _Held[str, list[JsonDict]] = _Held(lambda hits: 1 + _A_HIT * len(hits))
        self._shown: _Held[tuple[str, str, int], Shown] = _Held(lambda shown: _characters(shown.fitted.material))
        self._rendered: _Held[tuple[str, str, int], Rendered] = _Held(lambda rendered: len(rendered.text))

    def shown(self, cell: Cell) -> Shown:
        """Return what an expert is shown of a cell: whole, cut, or in segments."""
        budget = cell.seat.budget_tokens
        key = (cell.item.item_id, cell.variant, budget)
        return self._shown.get(key, lambda: show(self._variant(cell), budget_tokens=budget))

    def hits(self, cell: Cell) -> list[JsonDict]:
        """Return what in an item is addressed to a judge, as rows tell it."""
        if cell.payload is not None or not cell.item.flagged:
            return []
        material = self._materials.get(cell.item.item_id, lambda: self._read(cell.item))
        return self._hits.get(cell.item.item_id, lambda: hits_json(material))

    def body(self, cell: Cell, step: Step, *, notes: Sequence[str], answer: str, problems: Sequence[str]) -> JsonDict:
        """Return one request of a cell.

        Args:
            cell: that is asked.
            step: what of it.
            notes: on its segments, once they are there.
            answer: that is to be mended, of a repair and of a retry for evidence.
            problems: what is wrong with it.
        """
        if step.kind is Kind.NOTES:
            return self._notes_body(cell, step)
        seat = cell.seat
        asked = request_body(
            seat.asked,
            rubric=self._judges.panel.rubric,
            axes=self._judges.axes_of(seat, applying=cell.axes),
            rendered=self._rendering(cell, notes),
            cell=cell.id,
            structured=seat.structured,
        )
        if step.kind is Kind.VERDICT:
            return asked
        return repair_body(asked, answer=answer if answer.strip() else _EMPTY, problems=problems)

    def rendering(self, cell: Cell, notes: Sequence[str]) -> JsonDict:
        """Return what a judgement keeps of how its material was shown."""
        shown = self.shown(cell)
        fitted, seen = shown.fitted, self._rendering(cell, notes)
        return {
            "renderer_version": RENDERER_VERSION,
            "policy": str(fitted.cut),
            "nonce": seen.nonce,
            "messages_total": len({part.message for part in self._variant(cell).parts}),
            "messages_elided": fitted.messages_elided,
            "chars_elided": fitted.characters_elided,
            "tokens_estimated": fitted.tokens_estimated,
            "segments": 1 + len(shown.segments),
            "truncated": fitted.cut is not Cut.NOTHING or shown.clipped,
            "stripped": seen.stripped,
            "feedback_visible": self._feedback_visible,
        }

    def _notes_body(self, cell: Cell, step: Step) -> JsonDict:
        shown, seat = self.shown(cell), cell.seat
        segment = shown.segments[step.segment]
        return notes_body(
            seat.asked,
            rubric=self._judges.panel.rubric,
            axes=self._judges.axes_of(seat, applying=cell.axes),
            rendered=render(segment, nonce=self._nonce(cell)),
            place=step.segment,
            of=1 + len(shown.segments),
            tokens=shown.note_tokens,
        )

    def _rendering(self, cell: Cell, notes: Sequence[str]) -> Rendered:
        shown = self.shown(cell)
        if shown.segments and len(notes) == len(shown.segments):
            return render(from_notes(shown, notes), nonce=self._nonce(cell))
        key = (cell.item.item_id, cell.variant, cell.seat.budget_tokens)
        return self._rendered.get(key, lambda: render(shown.last or shown.fitted.material, nonce=self._nonce(cell)))

    def _nonce(self, cell: Cell) -> str:
        drawn = hashlib.sha256(f"{self._secret}|{cell.item.item_id}|{cell.variant}".encode())
        return drawn.hexdigest()[:_NONCE_DIGITS]

    def _variant(self, cell: Cell) -> Material:
        """Return an item as it is, or with something masked or planted in it."""
        material = self._materials.get(cell.item.item_id, lambda: self._read(cell.item))
        if cell.variant == MASKED:
            return mask(material, detect(material))
        main = self._judges.main_axis
        if cell.payload is not None and main is not None:
            return plant(material, cell.payload, axis=main)
        return material


def hits_json(material: Material) -> list[JsonDict]:
    """Return what in some material is addressed to a judge: where, by which rule, and its beginning."""
    return [_hit_json(material, hit) for hit in detect(material)]


def _hit_json(material: Material, hit: Hit) -> JsonDict:
    text = strip_invisible(material.parts[hit.part].text).text[hit.start : hit.end]
    return {"message_index": hit.message, "rule": str(hit.rule), "text": text[:MOST_HIT_CHARACTERS]}


def _characters(material: Material) -> int:
    return 200 + sum(100 + len(part.text) for part in material.parts)


def run_secret(objects: ObjectStore, stage: StageRef) -> str:
    """Return what the nonces of a stage come of: drawn once, whoever asks first."""
    key = f"{stage.prefix}/nonce"
    with suppress(ConflictError):  # somebody drew it before
        objects.create(key, (draw_nonce() + draw_nonce() + draw_nonce() + draw_nonce()).encode())
    return objects.read(key).decode()
