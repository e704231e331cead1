"""What bringing in recorded sessions takes: memory, and time against parsing the JSON alone."""

import json
import random
import sys
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, memory_figure
from benchmarks.live_runs import Site
from benchmarks.measure import MEGABYTE, run

SESSIONS: Final = 100_000
SESSION_BYTES: Final = 10_000
MEMORY_ALLOWED_MB: Final = 400
TIME_ALLOWED: Final = 3.0
_TURNS: Final = 5
_SEED: Final = 16
_PARSE: Final = """
import sys, orjson
with open(sys.argv[1], "rb") as file:
    for line in file:
        orjson.loads(line)
"""


def measure_ingest(site: Site, *, sessions: int = SESSIONS) -> list[Figure]:
    """Bring many sessions in, once; parse the same file line by line with the fastest parser there is."""
    path = write_sessions(site.folder / "sessions.jsonl", sessions=sessions)
    size_mb = path.stat().st_size / MEGABYTE
    parsing = run([sys.executable, "-c", _PARSE, str(path)], folder=site.folder, environ=site.environ)
    finished = site.command("session", "ingest", str(path))
    again = site.command("session", "ingest", str(path))
    path.unlink()
    what = f"bringing in {sessions:,} sessions, {size_mb:.0f} MB"
    return [
        memory_figure(f"memory of {what}", finished, allowed_mb=MEMORY_ALLOWED_MB),
        Figure(
            what=what,
            measured=f"{finished.elapsed_s:.1f} s ({finished.processor_s:.1f} s of processor time)",
            limit=f"parsing every line with orjson {parsing.elapsed_s:.1f} s",
            ratio=finished.elapsed_s / parsing.elapsed_s,
            allowed=TIME_ALLOWED,
        ),
        Figure(
            what=f"{what} again, when all are known",
            measured=f"{again.elapsed_s:.1f} s",
            limit=f"bringing them in {finished.elapsed_s:.1f} s",
            ratio=again.elapsed_s / finished.elapsed_s,
            allowed=1.0,
        ),
    ]


def write_sessions(path: Path, *, sessions: int) -> Path:
    """Write sessions of an agent with tools, about ten kilobytes each, no two alike."""
    chance = random.Random(_SEED)  # noqa: S311 - no secret
    words = ["".join(chance.choices("aeioubdgklmnprst", k=chance.randint(2, 9))) for _ in range(3_000)]
    texts = [" ".join(chance.choices(words, k=chance.randint(40, 110))) for _ in range(4_000)]
    with path.open("w", encoding="utf-8") as file:
        for number in range(sessions):
            file.write(json.dumps(_session(number, chance, texts)) + "\n")
    return path


def _session(number: int, chance: random.Random, texts: list[str]) -> dict[str, object]:
    day = 1 + number % 28
    messages: list[dict[str, object]] = [{"role": "system", "content": texts[number % 7]}]
    for turn in range(_TURNS):
        call = {"id": f"call_{turn}", "name": "find", "arguments": {"text": chance.choice(texts)[:20], "page": turn}}
        usage = {"input_tokens": 900 + turn, "output_tokens": 40}
        asked, answered = f"2026-01-{day:02}T20:{turn:02}:00Z", f"2026-01-{day:02}T20:{turn:02}:30Z"
        messages += [
            {"role": "user", "content": chance.choice(texts)[:300], "created_at": asked},
            {"role": "assistant", "content": None, "tool_calls": [call], "usage": usage},
            {"role": "tool", "tool_call_id": f"call_{turn}", "content": chance.choice(texts)},
            {"role": "assistant", "content": chance.choice(texts), "created_at": answered},
        ]
    return {
        "schema": "eval_pipeline.session/1",
        "session_id": f"session-{number:07}",
        "profile_id": f"agent-{number % 3}",
        "name": f"talk {number}",
        "created_at": f"2026-01-{day:02}T20:00:00Z",
        "messages": messages,
    }
