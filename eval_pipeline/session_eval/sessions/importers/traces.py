"""From the steps of traces to the JSON of a session: what every format of traces has in common."""

from collections.abc import Sequence
from dataclasses import replace

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.checking import SCHEMA
from eval_pipeline.session_eval.sessions.importers.chat import Chat
from eval_pipeline.session_eval.sessions.importers.conversation import Step, StepKind, conversation_of, root_agent
from eval_pipeline.session_eval.sessions.importers.record import Imported, NotASessionError, Piece
from eval_pipeline.session_eval.sessions.session import SourceFormat
from eval_pipeline.session_eval.sessions.times import written


def session_of_steps(
    group: str,
    steps: Sequence[Step],
    *,
    pieces: Sequence[Piece],
    chat: Chat,
    tools: Sequence[JsonDict],
    source: SourceFormat,
    about: Json | None = None,
) -> Imported:
    """Make a session of all steps that belong together.

    Args:
        group: its id.
        steps: in any order.
        pieces: from which the steps were made.
        chat: where it was noted what had to be guessed.
        tools: that were offered.
        source: the format.
        about: what else the session says; its metadata are joined with those of the traces.
    """
    told = _speaking(steps)
    messages = conversation_of(told)
    number = min((piece.number for piece in pieces), default=0)
    if not messages:
        raise NotASessionError(
            f"session {group!r} has no messages: its {len(pieces):,} records carry neither input nor output "
            "(was content captured when it was recorded?)"
        )
    moments = [moment for step in steps for moment in (step.started, step.ended) if moment is not None]
    agent = root_agent(steps)
    given = dict(about or {})
    metadata: JsonDict = {"traces": sorted({piece.trace for piece in pieces}), **(given.pop("metadata", None) or {})}
    if chat.unmapped:
        metadata["unmapped"] = chat.unmapped
    session: JsonDict = {
        "schema": SCHEMA,
        "session_id": group,
        **({"profile_id": agent} if agent else {}),
        **({"created_at": written(min(moments)), "last_active": written(max(moments))} if moments else {}),
        "source": {"format": str(source), "id": group},
        **({"tools": offered} if (offered := _with_kinds(tools, steps)) else {}),
        "messages": messages,
        "metadata": metadata,
        **given,
    }
    return Imported(session, number, tuple(chat.notes))


def _speaking(steps: Sequence[Step]) -> list[Step]:
    """Let an agent's own span speak where no call of a model below it does."""
    parents = {step.id: step.parent for step in steps}
    covered: set[str | None] = set()
    for step in steps:
        if step.kind is not StepKind.CHAT:
            continue
        above: str | None = step.parent
        while above is not None and above not in covered:
            covered.add(above)
            above = parents.get(above)
    found = list(steps)
    for step in steps:
        if step.kind in {StepKind.AGENT, StepKind.OTHER} and step.id not in covered and (step.heard or step.said):
            found.append(replace(step, id=f"{step.id}/said", parent=step.id, kind=StepKind.CHAT))
            covered |= _all_above(step, parents)
    return found


def _all_above(step: Step, parents: dict[str, str | None]) -> set[str | None]:
    above: set[str | None] = set()
    at = step.parent
    while at is not None and at not in above:
        above.add(at)
        at = parents.get(at)
    return above


def _with_kinds(tools: Sequence[JsonDict], steps: Sequence[Step]) -> list[JsonDict]:
    """Return the tools; one whose span holds an agent hands work to a sub-agent."""
    by_id = {step.id: step for step in steps}
    handing = {
        by_id[step.parent].name
        for step in steps
        if step.kind is StepKind.AGENT and step.parent in by_id and by_id[step.parent].kind is StepKind.TOOL
    }
    offered = [{**tool, "kind": "subagent"} if tool["name"] in handing else tool for tool in tools]
    known = {tool["name"] for tool in tools}
    return [
        *offered,
        *({"name": name, "kind": "subagent"} for name in sorted(n for n in handing if n) if name not in known),
    ]
