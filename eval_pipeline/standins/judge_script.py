"""What the judges of the stand-ins say of which item: a script, one JSON object a line; the first that fits is taken.

``{"item": …, "expert": …, "model": …, "verdicts": {axis: …}}``: ``item`` is a text, or a list of texts, that the
material holds; ``expert`` a text that the question to the expert holds, such as its point of view; ``model`` its model.
Each may be left out. A verdict is a level, or an object of ``level``, ``reasoning``, ``confidence`` and ``quotes``
(a list of ``{"message": "M3", "quote": …}``); ``"*"`` stands for all axes that are not named. Beside ``verdicts`` may
stand ``user_goal``, ``outcome_summary``, ``comment`` and ``manipulation_attempt``. Whatever is left out is derived from
the material. Nothing is checked against the schema, so that a script may also say what no judge may.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eval_pipeline.standins.control import as_json, refusal
from eval_pipeline.standins.documents import Json
from eval_pipeline.standins.judge_asks import JudgeAsk
from eval_pipeline.standins.replay import RecordingError

ANY_AXIS = "*"
_KEYS = {"item", "expert", "model", "verdicts", "user_goal", "outcome_summary", "comment", "manipulation_attempt"}
_VERDICT_KEYS = {"level", "reasoning", "confidence", "quotes"}
_FORM = '{"item": …, "expert": …, "model": …, "verdicts": {axis: level or {"level": …, "reasoning": …, …}}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedJudgement:
    """What is said of some items by some experts."""

    items: tuple[str, ...] = ()
    expert: str = ""
    model: str = ""
    verdicts: Json = field(default_factory=dict)
    """By axis, each with what it says of it."""
    said: Json = field(default_factory=dict)
    """Beside them: goal, outcome, comment, attempts of manipulation."""

    def fits(self, ask: JudgeAsk) -> bool:
        """Tell whether a request is meant."""
        return (
            self.model in ("", ask.model)
            and self.expert in ask.question
            and all(item in ask.text for item in self.items)
        )

    def verdict(self, axis: str) -> Json:
        """Return what it says of an axis; nothing of one that it does not name."""
        found: Json = self.verdicts.get(axis) or self.verdicts.get(ANY_AXIS) or {}
        return found


class JudgeScript:
    """All scripted judgements, in the order in which they are tried."""

    def __init__(self, judgements: Sequence[ScriptedJudgement] = ()) -> None:
        self.judgements = tuple(judgements)

    def find(self, ask: JudgeAsk) -> ScriptedJudgement:
        """Return the first judgement that fits; an empty one, if none does."""
        return next((one for one in self.judgements if one.fits(ask)), ScriptedJudgement())


class JudgeControls:
    """The control URL of what judges say: ``judge_script`` GET, POST (a list of its lines), DELETE."""

    def __init__(self, script: JudgeScript) -> None:
        self._script = script

    def routes(self) -> list[Route]:
        """Return the routes to add to the application."""
        return [Route("/__standin__/judge_script", self.judge_script, methods=["GET", "POST", "DELETE"])]

    async def judge_script(self, request: Request) -> Response:
        """Tell, replace or forget the script."""
        if request.method != "GET":
            try:
                entries = orjson.loads(await request.body()) if request.method == "POST" else []
                if not isinstance(entries, list):
                    raise ValueError(f"A script must be a list, not {entries!r}.")  # noqa: TRY004, TRY301 - as JSON errors
                self._script.judgements = tuple(read_judgement(entry) for entry in entries)
            except ValueError as error:
                return refusal(error)
        return as_json([_as_json(one) for one in self._script.judgements])


def _as_json(one: ScriptedJudgement) -> Json:
    return {"item": one.items, "expert": one.expert, "model": one.model, "verdicts": one.verdicts, **one.said}


def read_script(path: Path) -> JudgeScript:
    """Read a file of scripted judgements."""
    with path.open("rb") as lines:
        return JudgeScript(list(_read_lines(path, lines)))


def _read_lines(path: Path, lines: Iterable[bytes]) -> Iterable[ScriptedJudgement]:
    for number, line in enumerate(lines, start=1):
        try:
            yield read_judgement(orjson.loads(line))
        except ValueError as error:
            raise RecordingError(f"{path}, line {number} is no scripted judgement: {error}") from error


def read_judgement(entry: Any) -> ScriptedJudgement:  # noqa: ANN401 - JSON
    """Read one scripted judgement, or refuse it with the reason."""
    if not isinstance(entry, dict) or not entry.keys() <= _KEYS:
        raise ValueError(f"{entry!r} is none. Expected {_FORM}; known are {sorted(_KEYS)}.")
    items, verdicts = entry.get("item", []), entry.get("verdicts", {})
    items = [items] if isinstance(items, str) else items
    texts = [*items, entry.get("expert", ""), entry.get("model", "")] if isinstance(items, list) else [None]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"item, expert and model must be texts, in {entry!r}.")
    if not isinstance(verdicts, dict):
        raise ValueError(f"verdicts must be an object by axis, not {verdicts!r}.")  # noqa: TRY004 - as JSON errors
    return ScriptedJudgement(
        items=tuple(items),
        expert=entry.get("expert", ""),
        model=entry.get("model", ""),
        verdicts={axis: _read_verdict(axis, said) for axis, said in verdicts.items()},
        said={name: entry[name] for name in entry.keys() - {"item", "expert", "model", "verdicts"}},
    )


def _read_verdict(axis: str, said: object) -> Json:
    verdict = said if isinstance(said, dict) else {"level": said}
    if not verdict or not verdict.keys() <= _VERDICT_KEYS:
        raise ValueError(f"The verdict on {axis!r} cannot be {said!r}. Known: {sorted(_VERDICT_KEYS)}.")
    return verdict
