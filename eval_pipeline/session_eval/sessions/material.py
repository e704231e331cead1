"""What of a session a judge is shown: its messages, and what code counted in them.

Never what people thought of it, how it came out, what its metadata say: they would tell the judge what to find. Tokens,
cost and time are left out too: they say nothing that the messages do not, and would make a re-import another item.
"""

import json
from collections.abc import Iterator
from typing import Final, assert_never

from eval_pipeline.judging.material import Material, Part, Speaker
from eval_pipeline.judging.rubric import AppliesTo, Axis, Rubric
from eval_pipeline.session_eval.sessions.facts import SessionFacts, facts_of
from eval_pipeline.session_eval.sessions.session import Message, PartKind, Role, Session
from eval_pipeline.session_eval.sessions.session import Part as ContentPart

_TOOL_NAMES_CHARACTERS: Final = 2_000
_URI_CHARACTERS: Final = 200
_FACTS: Final = (
    "messages",
    "user_turns",
    "tool_calls",
    "distinct_tools",
    "tool_errors",
    "repeated_calls",
    "longest_repeat",
    "subagent_calls",
    "extension_events",
)


def material_of(session: Session) -> Material:
    """Return what is judged; the place of a message is its index in the session."""
    counted = facts_of(session).to_json()
    names = ", ".join(tool.name for tool in session.tools)
    return Material(
        facts={
            **{name: counted[name] for name in _FACTS},
            "tools_offered": names[:_TOOL_NAMES_CHARACTERS] if names else None,
        },
        parts=[part for index, message in enumerate(session.messages) for part in _parts(session, message, index)],
    )


def applicable_axes(facts: SessionFacts, rubric: Rubric) -> tuple[Axis, ...]:
    """Return the axes that the facts let apply, in the order of the rubric."""
    return tuple(axis for axis in rubric.axes.values() if _applies(axis.applies_to, facts))


def _applies(to: AppliesTo, facts: SessionFacts) -> bool:
    match to:
        case AppliesTo.ALL:
            return True
        case AppliesTo.TOOLS:
            return facts.offers_tools or facts.tool_calls > 0
        case AppliesTo.SUBAGENTS:
            return facts.offers_subagents or facts.subagent_calls > 0
        case AppliesTo.EXTENSIONS:
            return facts.extension_events > 0
        case AppliesTo.PASSAGES:
            return False
        case _:
            assert_never(to)


def _parts(session: Session, message: Message, index: int) -> Iterator[Part]:
    """Give a message part by part; one that says nothing has an empty one, so that every label exists."""
    said = list(_said(session, message, index))
    yield from said or [Part(index, _speaker(message), "", _head(message))]


def _said(session: Session, message: Message, index: int) -> Iterator[Part]:
    head = _head(message)
    if message.reasoning:
        yield Part(index, Speaker.REASONING, message.reasoning, head)
    if message.role is Role.TOOL:
        call = session.calls_by_id.get(message.tool_call_id or "")
        name = message.name or (call.name if call else None)
        head += f"{name}: " if name else ""
    text = _text(message)
    if text:
        yield Part(index, _speaker(message), text, head)
    for call in message.tool_calls:
        yield Part(index, Speaker.CALL, _arguments(call.arguments), f"{head}{call.name} ")
    if message.error:
        yield Part(index, Speaker.ERROR, message.error, head)


def _head(message: Message) -> str:
    return f"[{message.agent}] " if message.agent else ""


def _speaker(message: Message) -> Speaker:
    """Return who speaks; what a sub-agent is told comes from the assistant, not from the user."""
    match message.role:
        case Role.SYSTEM | Role.DEVELOPER:
            return Speaker.SYSTEM
        case Role.USER:
            return Speaker.USER if message.agent is None else Speaker.ASSISTANT
        case Role.ASSISTANT:
            return Speaker.ASSISTANT
        case Role.TOOL:
            return Speaker.TOOL
        case _:
            assert_never(message.role)


def _text(message: Message) -> str:
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    return "\n".join(_shown(part) for part in message.content)


def _shown(part: ContentPart) -> str:
    """Return the text of a part; of what is no text, what it is."""
    if part.type is PartKind.TEXT or (part.text and not part.uri):
        return part.text or ""
    uri = part.uri or ""
    where = "inline" if uri.startswith("data:") else uri[:_URI_CHARACTERS]
    told = " ".join(word for word in (str(part.type), part.mime_type, where) if word)
    return f"[{told}] {part.text}" if part.text else f"[{told}]"


def _arguments(arguments: object) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
