"""Write the sessions of the demo anew: forty of tau-bench's, and the script by which no model judges them.

Messages, calls, results and rewards are those of sierra-research/tau-bench at 59a200c. What is made up here, and said
to be so in ``examples/README.md``: the times, the thumbs, and every verdict. Verdicts follow the verified outcome; each
expert errs in some sessions by a hash of both, so that calibration has something to find.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
SOURCE: Final = ROOT / "eval_pipeline_tests" / "session_eval" / "data" / "tau_bench_gpt4o_airline.json.gz"
FOLDER: Final = ROOT / "examples" / "sessions"
TASKS: Final = 40
TRIAL: Final = 3
FIRST: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
MODEL: Final = "scripted-no-model"
REASON: Final = "Scripted for the demo: no model judged this."
LEVELS: Final = (0, 25, 50, 75, 100)
AXES: Final = ("goal_completion", "tool_usage_quality", "efficiency", "communication")
ERRS: Final = {"outcome": 0.12, "operator": 0.18, "dialogue": 0.22, "auditor": 0.08}
"""How often each expert is wrong about a session."""
THUMBS: Final = {
    3: (-1, "I asked for the cheapest flight and did not get it."),
    8: (-1, "Too many questions before anything happened."),
    13: (1, None),
    17: (-1, "It told me that this is not possible, and a person at the desk could do it."),
    21: (1, "Quick and clear."),
    26: (1, None),
    30: (-1, None),
    33: (1, "Exactly what I needed."),
    36: (-1, "I was transferred in the end."),
}
"""What people are said to have thought of a message near the end of a session, by task."""


def main() -> None:
    """Write sessions, script and panel."""
    results = json.loads(gzip.decompress(SOURCE.read_bytes()))
    chosen = [one for one in results if one["trial"] == TRIAL and one["task_id"] < TASKS]
    _write_lines("airline.jsonl", (session_of(one) for one in chosen))
    _write_lines("verdicts.jsonl", (line for one in chosen for line in verdicts_of(one)))
    (FOLDER / "panel.yaml").write_text(panel(), encoding="utf-8")


def _write_lines(name: str, documents: Iterator[Any]) -> None:
    lines = "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)
    (FOLDER / name).write_text(lines, encoding="utf-8")


def session_of(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result of tau-bench as a session."""
    task = result["task_id"]
    messages = [message_of(entry) for entry in result["traj"]]
    active = FIRST + timedelta(hours=25 * task)
    spoken = [place for place, message in enumerate(messages) if message["role"] == "assistant" and message["content"]]
    meant = max(spoken[-5:], key=lambda place: len(messages[place]["content"]))
    thumb = THUMBS.get(task)
    said = [] if thumb is None else [thumb_of(meant, *thumb, at=active)]
    return {
        "schema": "eval_pipeline.session/1",
        "session_id": f"airline-{task:02d}",
        "profile_id": "airline",
        "name": " ".join(messages[1]["content"].split())[:60],
        "created_at": (active - timedelta(minutes=20)).isoformat(),
        "last_active": active.isoformat(),
        "source": {"format": "tau_bench", "id": f"{task}/{TRIAL}"},
        "messages": messages,
        "feedback": said,
        "outcome": {"reward": result["reward"], "success": result["reward"] == 1, "source": "tau_bench"},
        "metadata": {"licence": "MIT, sierra-research/tau-bench 59a200c", "made_up": "times and thumbs"},
    }


def thumb_of(message: int, rating: int, comment: str | None, *, at: datetime) -> dict[str, Any]:
    """Return what somebody is said to have thought of a message."""
    said = {"message_index": message, "rating": rating, "comment": comment, "user": "made-up"}
    return {**said, "created_at": at.isoformat()}


def message_of(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a message of tau-bench as one of a session."""
    message = {name: entry[name] for name in ("role", "content", "name", "tool_call_id") if name in entry}
    if entry.get("tool_calls"):
        message["tool_calls"] = [
            {
                "id": call["id"],
                "name": call["function"]["name"],
                "arguments": json.loads(call["function"]["arguments"]),
            }
            for call in entry["tool_calls"]
        ]
    return message


def verdicts_of(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what every expert is made to say of a session."""
    asked = next(entry["content"] for entry in result["traj"] if entry["role"] == "user")
    for expert, share in ERRS.items():
        wrong = drawn(expert, result["task_id"], "errs") < share
        good = (result["reward"] == 1) is not wrong
        levels = {axis: level_of(expert, result["task_id"], axis, good=good) for axis in AXES}
        yield {
            "item": asked,
            "expert": f"the {expert} of the demo",
            "verdicts": {
                **{axis: {"level": str(level), "reasoning": REASON} for axis, level in levels.items()},
                "task_complexity": {"level": str(complexity_of(result)), "reasoning": REASON},
            },
            "user_goal": asked,
            "outcome_summary": REASON,
            "comment": REASON,
        }


def level_of(expert: str, task: int, axis: str, *, good: bool) -> int:
    """Draw the level of a session, high where it is said to be good, and one step beside it for some experts."""
    low = 2 if axis == "communication" else 0
    base = 3 + int(drawn(task) * 2) if good else low + int(drawn(task) * (3 - low))
    beside = drawn(expert, task, axis)
    return LEVELS[min(4, max(0, base + (beside > 0.85) - (beside < 0.15)))]  # noqa: PLR2004 - three in ten


def complexity_of(result: dict[str, Any]) -> int:
    """Return how much a task asks for, by the actions that solve it."""
    return LEVELS[min(4, 1 + len(result["info"]["task"]["actions"]))]


def drawn(*names: object) -> float:
    """Draw from 0 to 1 by hash, the same on every machine."""
    digest = hashlib.sha256(json.dumps(names).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def panel() -> str:
    """Return the built-in panel with experts that are no models."""
    built_in = resources.files("eval_pipeline.judging.built_in").joinpath("sessions.yaml").read_text(encoding="utf-8")
    rubric = built_in[built_in.index("rubric:") : built_in.index("experts:")]
    owned = (
        ("outcome", "openai", "[goal_completion, task_complexity]"),
        ("operator", "openai", "[tool_usage_quality, efficiency, subagent_orchestration, self_extension]"),
        ("dialogue", "openai", "[communication, goal_completion]"),
        ("auditor", "gemini", "all"),
    )
    return "".join(_panel_lines(rubric, owned))


def _panel_lines(rubric: str, owned: Sequence[tuple[str, str, str]]) -> Iterator[str]:
    yield "# The panel of the demo: the built-in rubric, and experts that are no models.\n"
    yield f"version: demo-1\n{rubric}experts:\n"
    for expert, endpoint, axes in owned:
        yield (
            f"  - id: {expert}\n    model: {endpoint}/{MODEL}\n    axes: {axes}\n"
            f"    prompt: You are the {expert} of the demo. No model reads this; a local server answers by a script.\n"
        )


if __name__ == "__main__":
    main()
