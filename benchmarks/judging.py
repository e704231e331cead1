"""A thousand sessions judged live by four experts: time against what latency allows, processor time a judgement."""

import json
from itertools import count
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure, tell
from benchmarks.live_runs import Site
from benchmarks.measure import REPEATS, Finished, ProcessFailedError

SESSIONS: Final = 1_000
EXPERTS: Final = 4
LATENCY_S: Final = 1.0
CONCURRENCY: Final = 100
CANARIES: Final = 3 * 4 * EXPERTS
"""Three sessions by four payloads, asked of every expert that rates the main axis."""
ALLOWED: Final = 1.25
PROCESSOR_MS_ALLOWED: Final = 5.0
_numbers = count(1)


def measure_judging(site: Site) -> list[Figure]:
    """Judge them, and hold the run against a run of one session at zero latency, and against the waves of its calls."""
    tell(f"{SESSIONS:,} sessions by {EXPERTS} experts, {LATENCY_S:g} s latency, concurrency {CONCURRENCY}")
    panel = _write_panel(site.folder / "panel.yaml")
    site.command("session", "ingest", str(_write_sessions(site.folder / "sessions.jsonl", SESSIONS)))
    start = min((_judge(site, panel, sessions=1, latency_s=0.0) for _ in range(REPEATS)), key=_elapsed)
    run = min((_judge(site, panel, sessions=SESSIONS, latency_s=LATENCY_S) for _ in range(2)), key=_elapsed)
    calls = SESSIONS * EXPERTS + CANARIES
    limit_s = calls * LATENCY_S / CONCURRENCY
    beyond_s = run.elapsed_s - start.elapsed_s
    each_ms = (run.processor_s - start.processor_s) / calls * 1_000
    return [
        Figure(
            what=f"{SESSIONS:,} sessions by {EXPERTS} experts, {LATENCY_S:g} s latency, concurrency {CONCURRENCY}, "
            "beyond start",
            measured=f"{beyond_s:.1f} s",
            limit=f"waves of {calls:,} calls {limit_s:.1f} s",
            ratio=beyond_s / limit_s,
            allowed=ALLOWED,
        ),
        Figure(
            what="own processor time a judgement",
            measured=f"{each_ms:.2f} ms",
            limit=f"{PROCESSOR_MS_ALLOWED:g} ms",
            ratio=each_ms / PROCESSOR_MS_ALLOWED,
            allowed=1.0,
        ),
    ]


def _elapsed(finished: Finished) -> float:
    return finished.elapsed_s


def _judge(site: Site, panel: Path, *, sessions: int, latency_s: float) -> Finished:
    """Judge so many sessions by a panel that judged none before, and check that every judgement is there."""
    site.set_latency(latency_s)
    number = next(_numbers)
    mine = panel.with_name(f"panel-{number}.yaml")
    mine.write_text(
        panel.read_text().replace("bench-0", f"bench-{number}").replace("as a reader", f"as reader {number}")
    )
    chosen = ["--scope", "all", "--limit", str(sessions), "--panel", str(mine)]
    finished = site.command(
        "session", "run", f"judged-{number}", *chosen, "--mode", "fast", "--concurrency", str(CONCURRENCY), "--json"
    )
    document = json.loads(finished.output)
    if document["state"] != "completed" or document["counts"]["ok"] != sessions * EXPERTS:
        raise ProcessFailedError(f"the run is {document['state']}, counts are {document['counts']}")
    return finished


def _write_panel(path: Path) -> Path:
    """Write a panel of four experts at the stand-in; each rates all axes."""
    from eval_pipeline.judging.panel import panel_json  # noqa: PLC0415 - the package is what is measured
    from eval_pipeline.judging.panel_file import built_in_panel  # noqa: PLC0415 - the same

    axes = panel_json(built_in_panel("sessions"))["axes"]
    rubric = {
        "version": "bench-0",
        "axes": {name: {key: value for key, value in axis.items() if value is not None} for name, axis in axes.items()},
    }
    experts = [
        {
            "id": f"expert-{number}",
            "model": "openai/gpt-4.1-mini",
            "axes": "all",
            "prompt": f"Look {number}, as a reader.",
        }
        for number in range(EXPERTS)
    ]
    path.write_text(json.dumps({"version": "bench-0", "rubric": rubric, "experts": experts}))  # JSON is YAML
    return path


def _write_sessions(path: Path, sessions: int) -> Path:
    """Write sessions of some 20 messages and 8,000 characters, each with a call of a tool in every turn."""
    with path.open("w") as file:
        for number in range(sessions):
            file.write(json.dumps(_session(number)) + "\n")
    return path


def _session(number: int) -> dict[str, object]:
    messages: list[dict[str, object]] = [{"role": "system", "content": "You help customers of an airline. " * 30}]
    for turn in range(6):
        call = {"id": f"c{turn}", "name": "find_booking", "arguments": {"order": number, "turn": turn}}
        messages += [
            {
                "role": "user",
                "content": f"What about order {number}, part {turn}? " + "I would like to know more. " * 8,
            },
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {
                "role": "tool",
                "tool_call_id": f"c{turn}",
                "content": json.dumps({"order": number, "rows": [turn] * 150}),
            },
            {
                "role": "assistant",
                "content": f"Part {turn} of order {number} is booked. " + "Here is what I found. " * 10,
            },
        ]
    return {"schema": "eval_pipeline.session/1", "session_id": f"bench-{number:05d}", "messages": messages}
