import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval_pipeline.core.errors import ConflictError
from eval_pipeline.core.journal_lines import seal, unsealed
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow, RunState
from eval_pipeline.core.sessions import Arrival
from eval_pipeline.core.stages import Manifest, StageRef
from eval_pipeline.session_eval import session_store, tables
from eval_pipeline.session_eval.session_feedback import Said, say
from eval_pipeline.session_eval.session_forgetting import forget
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline_tests.session_eval.homes import PROJECT, brought_in, lines
from eval_pipeline_tests.session_eval.sessions.samples import native
from eval_pipeline_tests.storage.records import a_run

SECRET = "peregrine"
CELLS = {"gone": "11111111-1111-1111-1111-111111111111", "kept": "22222222-2222-2222-2222-222222222222"}


def test_what_a_forgotten_session_said_lies_nowhere_and_counts_stay(deployment: Deployment, tmp_path: Path) -> None:
    path = lines(tmp_path / "s.jsonl", told("gone", SECRET), told("kept", "sparrow"))
    brought_in(deployment, path)
    brought_in(deployment, lines(tmp_path / "t.jsonl", {**told("gone", f"{SECRET} again"), "pinned": True}))
    [stored] = session_store.require(deployment, PROJECT, ["gone"])
    say(deployment, PROJECT, stored, [Said(message_index=0, rating=-1, comment=SECRET)], author="ravi")
    key = judged_run(deployment, RunState.RUNNING)
    assert found(deployment)

    with pytest.raises(ConflictError, match="run nightly holds one of these sessions and is running"):
        forget(deployment, PROJECT, ["gone"])
    deployment.ledger.set_run_state(flow=Flow.SESSIONS, key=key, to=RunState.COMPLETED)
    gone = forget(deployment, PROJECT, ["gone"])

    assert (gone.sessions, gone.parts, gone.runs) == (1, 2, ("nightly",))
    assert found(deployment) == []
    assert session_store.find(deployment, PROJECT, "gone") is None
    assert brought_in(deployment, path).arrivals == {Arrival.FORGOTTEN: 1, Arrival.UNCHANGED: 1}
    assert found(deployment) == []
    [kept] = session_store.require(deployment, PROJECT, ["kept"])
    assert session_store.content(deployment, kept).messages[0].text == "sparrow"

    judgements = deployment.stages.open(StageRef(flow=Flow.SESSIONS, key=key, stage="judgements"))
    levels = {row["session_id"]: json.loads(row["axes"])["goal_completion"] for row in judgements.rows()}
    assert (levels["gone"]["level"], levels["gone"]["reasoning"], levels["gone"]["evidence"]) == ("75", "", [])
    assert levels["kept"]["reasoning"] == "sparrow"
    report = deployment.stages.open(StageRef(flow=Flow.SESSIONS, key=key, stage="report"))
    assert report.manifest.was_made_from(judgements.manifest)
    assert b"forgotten at a person's wish" in report.file("report.html")
    journal = deployment.objects.read(f"{judgements.manifest.stage.prefix}/journal/000001-000")
    assert [json.loads(line)["item_id"][:36] for line in unsealed(journal.splitlines())] == [CELLS["kept"]]
    assert forget(deployment, PROJECT, ["gone"]).sessions == 0


def told(session_id: str, word: str) -> dict[str, Any]:
    return native(
        session_id, name=word, messages=[{"role": "user", "content": word}], feedback=[], metadata={"x": word}
    )


def judged_run(deployment: Deployment, state: RunState) -> RunKey:
    """Store what a run leaves behind that judged both sessions."""
    run = a_run("nightly", flow=Flow.SESSIONS, state=state)
    deployment.ledger.claim_run(run)
    words = {"gone": SECRET, "kept": "sparrow"}
    now = datetime(2026, 1, 4, tzinfo=UTC)
    taken = [
        {**blank(tables.SESSIONS), "session_id": one, "name": word, "position": place, "created_at": now}
        for place, (one, word) in enumerate(words.items())
    ]
    axes = {
        one: {"goal_completion": {"level": "75", "reasoning": word, "evidence": [{"quote": word}]}}
        for one, word in words.items()
    }
    judged = [
        {
            **blank(tables.JUDGEMENTS),
            "judgement_id": CELLS[one],
            "session_id": one,
            "user_goal": word,
            "hits": json.dumps([{"text": word}]),
            "axes": json.dumps(axes[one]),
        }
        for one, word in words.items()
    ]
    sessions = stored(deployment, run.key, "sessions", tables.SESSIONS, taken, inputs={})
    judgements = stored(deployment, run.key, "judgements", tables.JUDGEMENTS, judged, inputs={"sessions": sessions})
    journal = [seal(json.dumps({"item_id": f"{CELLS[one]}-v", "answer": word}).encode()) for one, word in words.items()]
    deployment.objects.put(f"{judgements.stage.prefix}/journal/000001-000", b"".join(line + b"\n" for line in journal))
    stored(deployment, run.key, "report", None, [], inputs={"judgements": judgements}, file=SECRET.encode())
    listed = [json.dumps({"session_id": one, "name": word}) for one, word in words.items()]
    deployment.objects.put("session_eval/default/nightly/sessions-0a.jsonl", "\n".join(listed).encode())
    return run.key


def blank(schema: pa.Schema) -> dict[str, Any]:
    """Return a row that says as little as its columns allow."""
    texts = {
        field.name: "{}" if field.name in {"axes", "facts"} else "" for field in schema if field.type == pa.string()
    }
    rest = {field.name: None if field.nullable else 0 for field in schema if field.name not in texts}
    moments = {field.name: datetime(2026, 1, 4, tzinfo=UTC) for field in schema if pa.types.is_timestamp(field.type)}
    return {**rest, **texts, **moments}


def stored(
    deployment: Deployment,
    key: RunKey,
    stage: str,
    schema: pa.Schema | None,
    rows: list[dict[str, Any]],
    *,
    inputs: dict[str, Manifest],
    file: bytes | None = None,
) -> Manifest:
    ref = StageRef(flow=Flow.SESSIONS, key=key, stage=stage)
    writer = deployment.stages.writer(ref, schema=schema, attempt=1, spec_hash="s", inputs=inputs, check=lambda: None)
    with writer as files:
        if schema is not None:
            files.append(rows)
        if file is not None:
            files.add_file("report.html", file)
        return files.finish({"markdown": SECRET} if stage == "report" else {})


def found(deployment: Deployment) -> list[str]:
    """Return the files of the home in which the secret lies, packed or not."""
    deployment.close()
    return [str(path.relative_to(deployment.home)) for path in files_of(deployment.home) if holds(path)]


def files_of(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def holds(path: Path) -> bool:
    data = repr(pq.read_table(path).to_pylist()).encode() if path.suffix == ".parquet" else path.read_bytes()
    return SECRET.encode() in data
