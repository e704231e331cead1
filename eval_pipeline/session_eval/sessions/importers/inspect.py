"""Samples of Inspect's evaluation logs: messages, and scores as the outcome. An epoch is part of the id.

Contents that the log keeps apart as attachments are put back.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.session_eval.sessions.checking import SCHEMA
from eval_pipeline.session_eval.sessions.importers.chat import Chat, error_text, object_of, usage_of
from eval_pipeline.session_eval.sessions.importers.record import Imported, Importer, NotASessionError, Record
from eval_pipeline.session_eval.sessions.session import SourceFormat

_ATTACHMENT: Final = re.compile(r"attachment://([0-9a-zA-Z]+)")
_LETTERS: Final[Mapping[str, float]] = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
"""Correct, partially correct, incorrect, no answer."""
_KEPT: Final = ("input", "target", "choices", "metadata", "setup", "total_time", "working_time", "limit", "uuid")


def recognises(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell a sample, or a log with its samples in it."""
    if not isinstance(value, dict):
        return False
    is_log = isinstance(value.get("eval"), dict) and ("status" in value or "plan" in value)
    return is_log or ({"epoch", "id"} <= value.keys() and ("messages" in value or "events" in value))


def read(record: Record) -> Iterator[Imported]:
    """Read one sample, or those of a log without any as nothing."""
    value = record.value
    if not isinstance(value, dict):
        raise NotASessionError("it is no object")
    if "epoch" not in value and isinstance(value.get("eval"), dict):
        if value.get("samples"):
            for sample in value["samples"]:
                yield from read(Record(record.number, sample, record.origin, about=value))
            return
        raise NotASessionError(f"the log has no samples (its status is {value.get('status')})")
    yield _sample(record, value)


def _sample(record: Record, value: JsonDict) -> Imported:
    attachments = value.get("attachments") or {}
    messages = _attached(value.get("messages") or [], attachments)
    chat = Chat()
    for message in messages:
        chat.add(_plain(message))
    if not messages:
        raise NotASessionError(f"sample {value.get('id')} has no messages")
    about = object_of(record.about.get("eval"))
    scores = value.get("scores") or {}
    error = error_text(value.get("error"))
    said = chat.finish()
    model = value.get("model") or about.get("model")
    _tell_usage(said, value)
    ran = [str(about[key]) for key in ("run_id", "task") if about.get(key)]
    kept = {key: value[key] for key in _KEPT if value.get(key) not in (None, [], {})}
    session: JsonDict = {
        "schema": SCHEMA,
        "session_id": _id(record, about, value),
        "name": f"{about.get('task') or record.origin} {value.get('id')}".strip(),
        **({"profile_id": str(model)} if model else {}),
        **_moments(value, about),
        "source": {"format": str(SourceFormat.INSPECT), "id": str(value.get("uuid") or value.get("id")), "run": ran},
        "messages": said,
        **({"outcome": outcome_of(scores)} if scores else {}),
        "metadata": {
            "epoch": value.get("epoch"),
            **kept,
            **({"error": error} if error else {}),
            **({"unmapped": chat.unmapped} if chat.unmapped else {}),
        },
    }
    return Imported(session, record.number, tuple(chat.notes))


def _id(record: Record, about: Json, value: Json) -> str:
    """Name the sample of this run of this task: task and run, the sample, its epoch."""
    run = str(about.get("run_id") or "")[:8]
    parts = [about.get("task") or record.origin, run, value.get("id"), f"epoch-{value.get('epoch', 1)}"]
    return "-".join(str(part).replace("/", ".") for part in parts if part not in (None, ""))[:256]


def _moments(value: Json, about: Json) -> JsonDict:
    found: JsonDict = {}
    for ours, theirs in (("created_at", "started_at"), ("last_active", "completed_at")):
        moment = Chat().moment(value.get(theirs))
        if moment is not None:
            found[ours] = moment
    created = Chat().moment(about.get("created"))
    return found or ({} if created is None else {"created_at": created})


def _plain(message: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a message without what Inspect notes about it for itself."""
    if not isinstance(message, dict):
        return message
    return {key: item for key, item in message.items() if key not in {"source", "internal", "metadata"} or item}


def _tell_usage(messages: list[JsonDict], value: Json) -> None:
    """Say of the last answer what all models together took, which the log knows of the sample alone."""
    usages = [usage_of(usage) or {} for usage in (value.get("model_usage") or {}).values()]
    totals = {key: sum(usage.get(key, 0) for usage in usages) for key in ("input_tokens", "output_tokens")}
    answers = [message for message in messages if message.get("role") == "assistant"]
    if usages and answers and not any(message.get("usage") for message in answers):
        answers[-1]["usage"] = {**totals, "of": "all models and messages of the sample"}


def outcome_of(scores: Any) -> JsonDict:  # noqa: ANN401 - JSON
    """Return what scorers found: the first score that is a number is the reward, and all stay beside it."""
    named = scores if isinstance(scores, dict) else {"score": scores}
    rewards = {name: _reward(score.get("value") if isinstance(score, dict) else score) for name, score in named.items()}
    chosen = next(((name, reward) for name, reward in rewards.items() if reward is not None), None)
    return {
        **({"reward": chosen[1], "success": chosen[1] >= 1, "source": chosen[0]} if chosen else {}),
        "scores": named,
    }


def _reward(value: Any) -> float | None:  # noqa: ANN401 - JSON
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return _LETTERS.get(value.strip().upper(), None) if value.strip().upper() in _LETTERS else float(value)
        except ValueError:
            return None
    return None


def _attached(value: Any, attachments: Json) -> Any:  # noqa: ANN401 - JSON
    match value:
        case str() if "attachment://" in value:
            return _ATTACHMENT.sub(lambda found: str(attachments.get(found[1], found[0])), value)
        case list():
            return [_attached(one, attachments) for one in value]
        case dict():
            return {key: _attached(item, attachments) for key, item in value.items()}
        case _:
            return value


INSPECT = Importer(format=SourceFormat.INSPECT, recognises=recognises, read=read)
