"""The stand-ins as a process of their own."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from eval_pipeline.standins.main import main

COMMAND = [sys.executable, "-m", "eval_pipeline.standins"]


@contextmanager
def started(*flags: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([*COMMAND, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=10)


def told_by(process: subprocess.Popen[bytes]) -> dict[str, str]:
    assert process.stdout is not None
    urls: dict[str, str] = json.loads(process.stdout.readline())
    return urls


def test_the_process_says_where_it_listens_replays_and_ends_on_sigterm(tmp_path: Path) -> None:
    recordings = tmp_path / "recorded.jsonl"
    recordings.write_text('{"question": "q", "answers": {"m": "A: 4"}}\n')
    clips = tmp_path / "clips.jsonl"
    clips.write_text(f'{{"sha256": "{"0" * 64}", "reference": "two words"}}\n')
    speech = ("--speech-recordings", str(clips), "--speech-errors", '{"m": {"substitutions": 1}}')

    faults = ("--faults", '[{"kind": "empty", "match": "never"}]')

    with started("--recordings", str(recordings), *speech, *faults) as process:
        urls = told_by(process)
        asked = httpx.post(
            f"{urls['openai_base_url']}/responses",
            json={"model": "m", "input": "q"},
            headers={"authorization": "Bearer sk-test"},
        )
        same = httpx.post(
            f"{urls['gemini_base_url']}/v1/models/m:generateContent?key=k",
            json={"contents": [{"parts": [{"text": "q"}]}]},
        )
        heard = httpx.get(f"{urls['gemini_control_url']}/transcripts?model=m").json()
        health = httpx.get(f"{urls['langfuse_base_url']}/api/public/health")
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=10) == 0
    assert asked.json()["output"][0]["content"][0]["text"] == "A: 4"
    assert same.json()["candidates"][0]["content"]["parts"] == [{"text": "A: 4"}]
    assert [entry["substitutions"] for entry in heard] == [2]
    assert health.json()["status"] == "OK"


def test_the_process_ends_with_the_pipe_that_its_parent_holds() -> None:
    with started("--watch-parent") as process:
        told_by(process)
        assert process.stdin is not None
        process.stdin.close()

        assert process.wait(timeout=10) == 0
        process.stdin = None


@pytest.mark.parametrize(
    "flags",
    [
        ["--faults", '[{"kind": "earthquake"}]'],
        ["--faults", "nonsense"],
        ["--recordings", "/nowhere.jsonl"],
        ["--gemini-faults", '[{"kind": "duplicate_index"}]'],
        ["--gemini-batch-faults", '[{"scenario": "expired_partial"}]'],
        ["--batch-faults", '[{"scenario": "rpc_errors"}]'],
        ["--speech-errors", '{"m": {"substitutions": 2}}'],
        ["--speech-recordings", "/nowhere.jsonl"],
    ],
)
def test_flags_that_make_no_sense_end_with_a_usage_error(
    flags: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(flags)

    assert "error:" in capsys.readouterr().err
