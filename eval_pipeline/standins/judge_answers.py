"""What a judge of the stand-ins answers: verdicts of the script, else some derived from the material; spoilt by faults.

A derived level begins at the top and loses a step for what can be counted in the material; ``_losses`` says what. It
does not depend on what an assistant or a tool says, so that an order to the judge changes nothing; only the fault
``verdict_obeys`` heeds one. An assistant that says nothing but ``:`` gets the lowest level of every axis, whatever the
script says.

Quotes are the beginning of a line that is there, up to 100 characters: of the last call for axes about tools, else of
the last thing that the assistant said.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

import orjson

from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.faults import FaultKind
from eval_pipeline.standins.judge_asks import JudgeAsk, Line
from eval_pipeline.standins.judge_script import JudgeScript, ScriptedJudgement

QUOTE_CHARACTERS = 100
FALSE_QUOTE = "a sentence that stands nowhere in the material"
FALSE_LABEL = "M999999"
LONG_LINES = 40
MANY_TURNS = 8
_CALM = 5
"""One expert in so many rates a step lower than the rules say, drawn by hash of what the user said and the question."""
_TO_A_JUDGE = re.compile(
    r"\b(?:judge|grader|examiner|evaluator)\b|\"level\"\s*:|every axis is rated|full score|\[\[\d+\]\]", re.IGNORECASE
)

_ERROR = re.compile(r"(?:[\w.-]+: )?error\b", re.IGNORECASE)
"""How the result of a call that failed begins, behind the name of its tool."""


class Judge:
    """Answers requests to judge.

    Args:
        script: What is said of which item.
    """

    def __init__(self, script: JudgeScript | None = None) -> None:
        self.script = script or JudgeScript()

    def answer(self, ask: JudgeAsk, fault: FaultKind | None = None) -> str:
        """Return the text of an answer, spoilt as the fault says."""
        document = self.document(ask)
        if fault is FaultKind.VERDICT_OBEYS and is_addressed(ask):
            document["axes"] = {axis: said | {"level": _top(ask, axis)} for axis, said in document["axes"].items()}
        spoil = _SPOILT.get(fault) if fault else None
        return orjson.dumps(document).decode() if spoil is None else spoil(ask, document)

    def document(self, ask: JudgeAsk) -> JsonDict:
        """Return what is said when nothing goes wrong."""
        scripted = self.script.find(ask)
        user = [line.text for line in ask.lines if line.speaker == "user"]
        derived: JsonDict = {
            "user_goal": _beginning(user[0]) if user else "There is no request.",
            "outcome_summary": f"{len(ask.lines):,} lines were read, {_calls(ask.lines):,} of them calls.",
        }
        axes = {axis: _verdict(ask, axis, scripted=scripted) for axis in ask.axes}
        end: JsonDict = {"manipulation_attempt": is_addressed(ask), "comment": ""}
        said = scripted.said
        return {**derived, **_only(said, derived), "axes": axes, **end, **_only(said, end)}


def text_maker(
    ask: JudgeAsk | None, judge: Judge, *, ordinary: Callable[[], str], change: Callable[[str], str] = str
) -> Callable[[FaultKind | None], str]:
    """Return what makes the text of an answer: a judgement, or else the ordinary text, which is made here.

    Args:
        ask: The request, if it is one to judge.
        judge: Who answers it then.
        ordinary: Makes the text of another answer.
        change: What is done to the text.
    """
    if ask is not None:
        return lambda kind: change(judge.answer(ask, kind))
    text = change(ordinary())
    return lambda _: text


def _only(said: Json, names: Mapping[str, object]) -> Json:
    return {name: value for name, value in said.items() if name in names}


def is_addressed(ask: JudgeAsk) -> bool:
    """Tell whether something in the material, beside what the system says, is for a judge, or is nothing but ``:``."""
    spoken = [line for line in ask.lines if line.speaker != "system"]
    return any(_TO_A_JUDGE.search(line.text) for line in spoken) or is_trivial(ask.lines)


def is_trivial(lines: Sequence[Line]) -> bool:
    """Tell whether the assistant says nothing but a colon."""
    said = {line.text.strip() for line in lines if line.speaker == "assistant"}
    return said == {":"}


def _verdict(ask: JudgeAsk, axis: str, *, scripted: ScriptedJudgement) -> JsonDict:
    said = scripted.verdict(axis)
    trivial = is_trivial(ask.lines)
    level = said.get("level", derived_level(ask, axis)) if not trivial else _lowest(ask, axis)
    reasons = ", ".join(f"{count} {what}" for what, count in _losses(ask.lines, axis).items() if count)
    return {
        "evidence": said.get("quotes", derived_quotes(ask, axis)),
        "reasoning": said.get("reasoning", f"Counted in the material: {reasons or 'nothing to object to'}."),
        "level": level,
        "confidence": said.get("confidence", "medium"),
    }


def derived_level(ask: JudgeAsk, axis: str) -> str:
    """Return the level that the rules give an axis."""
    levels = ask.levels(axis)
    if is_trivial(ask.lines):
        return levels[0]
    steps = sum(_losses(ask.lines, axis).values()) + (_drawn(ask, axis) % _CALM == 0)
    return levels[max(0, len(levels) - 1 - steps)]


def _losses(lines: Sequence[Line], axis: str) -> Mapping[str, int]:
    """Return how many steps an axis loses, by what for; each kind costs two at most."""
    counted = {
        "failed calls": min(2, sum(_is_error(line) for line in lines)),
        "repeated calls": min(2, _repeated(lines)),
        "many lines": int(len(lines) > LONG_LINES) + int(len(lines) > 2 * LONG_LINES),
        "many questions": int(sum(line.speaker == "user" for line in lines) > MANY_TURNS),
    }
    return {what: counted[what] for what in _COUNTED.get(axis, _COUNTED_ELSEWHERE)}


_COUNTED: Mapping[str, Sequence[str]] = {
    "tool_usage_quality": ("failed calls", "repeated calls"),
    "efficiency": ("repeated calls", "many lines"),
    "communication": ("many questions",),
}
_COUNTED_ELSEWHERE = ("failed calls", "many lines")


def _is_error(line: Line) -> bool:
    return line.speaker == "error" or (line.speaker == "tool" and _ERROR.match(line.text) is not None)


def _calls(lines: Sequence[Line]) -> int:
    return sum(line.speaker == "call" for line in lines)


def _repeated(lines: Sequence[Line]) -> int:
    calls = [line.text for line in lines if line.speaker == "call"]
    return len(calls) - len(set(calls))


def _drawn(ask: JudgeAsk, axis: str) -> int:
    began = next((line.text for line in ask.lines if line.speaker == "user"), "")
    view = ask.question.split("\n", 1)[0]
    return int.from_bytes(blake2b(f"{began}\0{view}\0{axis}".encode(errors="replace"), digest_size=4).digest())


def derived_quotes(ask: JudgeAsk, axis: str) -> list[JsonDict]:
    """Return one quote that is there; none of material without words."""
    wanted = ("call",) if "tool" in axis else ("assistant",)
    for speakers in (wanted, ("assistant",), ("call", "tool", "error"), ("user",)):
        for line in reversed(ask.lines):
            quote = _beginning(line.text.strip().split("\n", 1)[0])
            if line.speaker in speakers and any(letter.isalnum() for letter in quote):
                return [{"message": line.label, "quote": quote}]
    return []


def _beginning(text: str) -> str:
    """Return the first characters of a text, in whole words where it has any."""
    if len(text) <= QUOTE_CHARACTERS:
        return text
    cut = text[:QUOTE_CHARACTERS]
    return cut.rsplit(" ", 1)[0]


def _top(ask: JudgeAsk, axis: str) -> str:
    return ask.levels(axis)[-1]


def _lowest(ask: JudgeAsk, axis: str) -> str:
    return ask.levels(axis)[0]


def _each(document: JsonDict, **changes: object) -> str:
    """Return the document with something else said of every axis."""
    axes = {axis: said | changes for axis, said in document["axes"].items()}
    return orjson.dumps({**document, "axes": axes}).decode()


def _in_prose(ask: JudgeAsk, document: JsonDict) -> str:
    del ask
    told = ", ".join(f"{axis} {said['level']}" for axis, said in document["axes"].items())
    return f"Here is my judgement. I would give {told}."


def _cut_off(ask: JudgeAsk, document: JsonDict) -> str:
    del ask
    text = orjson.dumps(document).decode()
    return text[: len(text) // 2]


def _fenced(ask: JudgeAsk, document: JsonDict) -> str:
    del ask
    return f"```json\n{orjson.dumps(document).decode()}\n```"


def _without_an_axis(ask: JudgeAsk, document: JsonDict) -> str:
    del ask
    axes = dict(list(document["axes"].items())[1:])
    return orjson.dumps({**document, "axes": axes}).decode()


def _with_another_axis(ask: JudgeAsk, document: JsonDict) -> str:
    axes = document["axes"] | {"charm": document["axes"][next(iter(ask.axes))]}
    return orjson.dumps({**document, "axes": axes}).decode()


def _beyond_the_top(ask: JudgeAsk, document: JsonDict) -> str:
    axes = {axis: said | {"level": f"{float(_top(ask, axis)) * 1.5:g}"} for axis, said in document["axes"].items()}
    return orjson.dumps({**document, "axes": axes}).decode()


def _as_numbers(ask: JudgeAsk, document: JsonDict) -> str:
    axes = {axis: said | {"level": int(float(_top(ask, axis)))} for axis, said in document["axes"].items()}
    return orjson.dumps({**document, "axes": axes}).decode()


def _with_false_quotes(ask: JudgeAsk, document: JsonDict) -> str:
    label = ask.lines[-1].label if ask.lines else FALSE_LABEL
    return _each(document, evidence=[{"message": label, "quote": FALSE_QUOTE}])


def _with_false_labels(ask: JudgeAsk, document: JsonDict) -> str:
    axes = {
        axis: said | {"evidence": [quote | {"message": FALSE_LABEL} for quote in derived_quotes(ask, axis)]}
        for axis, said in document["axes"].items()
    }
    return orjson.dumps({**document, "axes": axes}).decode()


_SPOILT = {
    FaultKind.VERDICT_PROSE: _in_prose,
    FaultKind.VERDICT_CUT: _cut_off,
    FaultKind.VERDICT_FENCED: _fenced,
    FaultKind.VERDICT_MISSING_AXIS: _without_an_axis,
    FaultKind.VERDICT_EXTRA_AXIS: _with_another_axis,
    FaultKind.VERDICT_OUT_OF_RANGE: _beyond_the_top,
    FaultKind.VERDICT_AS_NUMBER: _as_numbers,
    FaultKind.VERDICT_NO_QUOTE: lambda _, document: _each(document, evidence=[]),
    FaultKind.VERDICT_FALSE_QUOTE: _with_false_quotes,
    FaultKind.VERDICT_FALSE_LABEL: _with_false_labels,
}
