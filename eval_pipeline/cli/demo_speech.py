"""The speech part of the demo: nine recordings, two models in batch mode, and whether planted errors were counted."""

import json
import urllib.request
from collections.abc import Mapping
from time import monotonic

import click

from eval_pipeline.cli.demo_server import CAREFUL, HASTY, SPEECH
from eval_pipeline.cli.execution import run_outcome
from eval_pipeline.cli.output import write_table
from eval_pipeline.cli.progress import show_progress, write_line
from eval_pipeline.cli.waiting import execute_to_its_end
from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import DEFAULT_PROJECT, RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.claims import claim
from eval_pipeline.stt_eval.clips.catalog import add_audio_dataset
from eval_pipeline.stt_eval.models import SpeechModel
from eval_pipeline.stt_eval.prepare import prepare
from eval_pipeline.stt_eval.request import SttRequest
from eval_pipeline.stt_eval.view import show_run
from eval_pipeline.wiring.deployment import Deployment

DATASET = "nine recordings"
_EDITS = ("substitutions", "deletions", "insertions")


def evaluate_speech(deployment: Deployment, addresses: Mapping[str, str], *, series: int) -> list[int]:
    """Transcribe with two models and print which one is better; returns the exit codes."""
    add_audio_dataset(
        ledger=deployment.ledger,
        objects=deployment.objects,
        project=DEFAULT_PROJECT,
        name=DATASET,
        source=str(SPEECH / "manifest.jsonl"),
        language=None,
        description="Recordings in English and Hindi; sources and licences are metadata of each",
        settings=deployment.settings,
        s3_client=deployment.s3_client,
    )
    key = RunKey.of(project=DEFAULT_PROJECT, run=f"demo-{series}-speech")
    began_s = monotonic()
    code = _run(deployment, key)
    document = show_run(deployment, key, detail=True)
    click.echo()
    headers = ("RUN", "MODE", "MODEL", "SAMPLES", "WER", "95 % INTERVAL", "CER", "COST", "TIME")
    seconds = monotonic() - began_s
    write_table(headers, [_row(key, document, model, seconds=seconds) for model in document["figures"]])
    for pair in document["pairs"]:
        click.echo(f"\n{pair['sentence']}")
    _write_planted(document, addresses)
    click.echo(f"Report, with players and word diffs:\n  {key.run}: {document['report']}")
    return [code]


def _run(deployment: Deployment, key: RunKey) -> int:
    models = tuple(SpeechModel.parse(name) for name in (CAREFUL, HASTY))
    prepared = prepare(
        SttRequest(dataset=DATASET, models=models), project=key.project, run=key.run, deployment=deployment
    )
    claim(prepared, flow=Flow.STT, requested_by="demo", deployment=deployment, here=True)
    click.echo(f"\n{key.run}: {CAREFUL} and {HASTY} transcribe {prepared.spec.samples_count:,} recordings, batch")
    with show_progress() as progress:
        problem = execute_to_its_end(deployment, key, flow=Flow.STT, progress=progress, say=write_line)
    if problem is not None:
        raise problem
    return run_outcome(deployment, key, flow=Flow.STT)


def _row(key: RunKey, document: Json, model: Json, *, seconds: float) -> tuple[str, ...]:
    wer, cost = model["wer"], model["cost_usd"]
    return (
        key.run,
        document["mode"],
        model["model"],
        f"{model['answered']:,} of {document['samples']['total']:,} scored",
        f"{wer['value']:.1%}",
        f"{wer['low']:.1%} to {wer['high']:.1%}",
        f"{model['cer']['value']:.1%}",
        "unknown" if cost is None else f"${cost:.4f}",
        f"{seconds:.1f} s",
    )


def _write_planted(document: Json, addresses: Mapping[str, str]) -> None:
    """Compare what was counted with what the server says it planted."""
    for model in document["figures"]:
        planted = _planted(addresses, model["model"])
        counted = {edit: model[edit] for edit in _EDITS}
        same = "exactly those were counted" if counted == planted else f"counted were {_words(counted)}"
        click.echo(f"{model['model']}: {_words(planted)} were planted, {same}")
    click.echo()


def _planted(addresses: Mapping[str, str], model: str) -> dict[str, int]:
    url = f"{addresses['gemini_control_url']}/transcripts?model={model}"
    with urllib.request.urlopen(url) as reply:  # noqa: S310 - the local server's own address
        clips = json.load(reply)
    scored = [clip for clip in clips if clip["reference"] is not None]
    return {edit: sum(clip[edit] for clip in scored) for edit in _EDITS}


def _words(edits: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {edit}" for edit, count in edits.items())
