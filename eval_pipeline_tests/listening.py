"""Two providers that hear, for tests: the Gemini and the OpenAI stand-in on the same clips, and a home that asks them.

What they hear is the reference of a clip with planted errors, which both tell under ``/__standin__/transcripts``.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.standins.gemini import app as gemini
from eval_pipeline.standins.openai import app as openai
from eval_pipeline.standins.server import serve
from eval_pipeline.standins.speech import Speech, SpokenClip
from eval_pipeline_tests.commands import PATIENCE_S, Commands, Ended
from eval_pipeline_tests.homes import furnish
from eval_pipeline_tests.standins.speaking import REFERENCES, clip

KEYS = {"GEMINI_API_KEY": "AIza-test-51c07e", "OPENAI_API_KEY": "sk-test-7f3a9c1e5b"}
FLASH, PRO, WHISPER = "gemini-2.5-flash", "gemini-2.5-pro", "whisper-1"
RUN = "clips-1"
KEY = RunKey(project="default", run=RUN)


@dataclass(frozen=True)
class Recording:
    """One clip with what is said in it."""

    name: str
    data: bytes
    reference: str | None
    language: str = "en"

    @property
    def sha256(self) -> str:
        """Digest of its bytes."""
        return sha256(self.data).hexdigest()


def recordings(count: int, *, first: int = 0) -> list[Recording]:
    """Make clips with sentences that take turns, one in Hindi, one of silence, one with alternatives."""
    numbers = range(first, first + count)
    return [
        Recording(
            f"clip{number}.wav", clip(number, seconds=0.1), REFERENCES[number % 4], "hi" if number % 4 == 1 else "en"
        )
        for number in numbers
    ]


class Door:
    """Stands before a stand-in and keeps back one answer, of a call that was executed, until it is told otherwise."""

    def __init__(self) -> None:
        self._held: tuple[str, str, int] | None = None
        self.reached = Event()
        self.opened = Event()

    def hold(self, method: str, path: str, *, after: int = 0) -> None:
        """Keep back the answer to a call with this method and this part of a path, after so many others."""
        self.reached.clear()
        self.opened.clear()
        self._held = (method, path, after)

    def keeps(self, scope: Scope) -> bool:
        """Tell whether this call's answer is kept back; once."""
        if self._held is None or scope["type"] != "http":
            return False
        method, path, after = self._held
        if scope["method"] != method or path not in scope["path"] or b"start" in _command(scope):
            return False
        self._held = (method, path, after - 1) if after else None
        return after == 0


class _Guarded:
    """The application behind the door."""

    def __init__(self, app: ASGIApp, *, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._door.keeps(scope):
            await self._app(scope, receive, send)
            return

        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(message)

        await self._app(scope, receive, keep)
        self._door.reached.set()
        await asyncio.to_thread(self._door.opened.wait, PATIENCE_S)
        for message in kept:
            await send(message)


def guarded(app: Starlette, *, door: Door) -> Starlette:
    """Put an application behind a door."""
    app.add_middleware(_Guarded, door=door)
    return app


def _command(scope: Scope) -> bytes:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    return headers.get(b"x-goog-upload-command", b"")


class Listener:
    """A stand-in that hears, and its control URLs."""

    def __init__(self, url: str, api: httpx.Client, *, door: Door) -> None:
        self.url = url
        self.api = api
        self.door = door

    def _post(self, name: str, document: object) -> None:
        answer = self.api.post(f"/__standin__/{name}", json=document)
        assert answer.status_code == 200, answer.text

    def spoil(self, *rules: Mapping[str, object]) -> None:
        """Let single requests and lines go wrong."""
        self._post("faults", list(rules))

    def spoil_batches(self, *rules: Mapping[str, object]) -> None:
        """Let batches that are created from now on go wrong."""
        self._post("batch_faults", list(rules))

    def unprovoked(self) -> list[str]:
        """Name the rules in force that nothing has met."""
        plans = [self.api.get(f"/__standin__/{name}/hits").json() for name in ("faults", "batch_faults")]
        return [f"{rule['rule']} at {rule['endpoint']}" for plan in plans for rule in plan if not rule["hits"]]

    def set(self, **settings: float) -> None:
        """Change pace, limits, or how far the clock is ahead."""
        self._post("batch_settings", settings)

    def force(self, state: str | None, *, done: int = 0) -> None:
        """Put every batch into a state."""
        self._post("batches/all", {"state": state, "done": done})

    def counts(self) -> Any:  # noqa: ANN401 - JSON
        """Return all counters."""
        return self.api.get("/__standin__/counts?detail=1").json()

    def batches(self) -> Any:  # noqa: ANN401 - JSON
        """Return the operations of all batches."""
        return self.api.get("/__standin__/batches").json()

    def executed(self) -> Counter[str]:
        """Count how often each item (a pair of clip and model) was executed in batches."""
        billed = self.counts()["batches"]["billed"]
        return Counter({name.partition("|")[0]: count for name, count in billed.items()})

    def planted(self, model: str) -> dict[str, Any]:
        """Return what a model hears in each clip, by sha256, with the errors in it."""
        told = self.api.get("/__standin__/transcripts", params={"model": model}).json()
        return {entry["sha256"]: entry for entry in told}

    def files(self, kind: str = "") -> list[str]:
        """Return the names of the files of a kind that are there."""
        files = self.api.get("/v1beta/files?pageSize=100", headers={"x-goog-api-key": KEYS["GEMINI_API_KEY"]}).json()
        return [file["name"] for file in files.get("files", []) if file["mimeType"].startswith(kind)]

    def clips(self) -> list[str]:
        """Return the names of the uploaded clips that are there."""
        return self.files("audio/")

    def delete(self, name: str) -> None:
        """Delete a file as its owner does on the provider's page."""
        self.api.delete(f"/v1beta/{name}", headers={"x-goog-api-key": KEYS["GEMINI_API_KEY"]})


@dataclass
class Studio:
    """A home whose commands ask the two stand-ins."""

    gemini: Listener
    openai: Listener
    commands: Commands
    variables: dict[str, str]
    known: dict[str, Recording] = field(default_factory=dict)

    def __call__(self, *arguments: str, **variables: str) -> Ended:
        """Run a command."""
        return self.commands(*arguments, **variables)

    def run(self, *options: str, models: Sequence[str] = (FLASH,), run: str = RUN, **variables: str) -> Ended:
        """Transcribe the clips, and wait for that."""
        named = [part for model in models for part in ("--model", model)]
        return self.commands("stt", "run", run, "--dataset", "clips", *named, *options, "--json", **variables)

    def add(self, clips: Sequence[Recording], *, name: str = "clips") -> Any:  # noqa: ANN401 - JSON
        """Add clips as an audio dataset."""
        folder = self.commands.folder / name
        folder.mkdir()
        for each in clips:
            (folder / each.name).write_bytes(each.data)
            self.known[each.name] = each
        lines = [{"audio": one.name, "reference": one.reference, "language": one.language} for one in clips]
        (folder / "manifest.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        return self.commands.json("dataset", "add", name, str(folder / "manifest.jsonl"), "--kind", "stt")

    def make_stages(self, *stages: str, key: RunKey = KEY, flow: Flow = Flow.STT) -> EvalPipelineError | None:
        """Make some stages of a run by hand, as the Dagster UI does."""
        return self.commands.make_stages(key, *stages, flow=flow)

    def shown(self, run: str = RUN) -> Any:  # noqa: ANN401 - JSON
        """Return the run with every pair."""
        return self.commands.json("stt", "show", run, "--detail")

    def pairs(self, run: str = RUN) -> dict[tuple[str, str], Any]:
        """Return every pair of a run by file and model."""
        return {(one["file_name"], one["model"]): one for one in self.shown(run)["results"]}

    def submit(self, *, models: Sequence[str] = (FLASH,), run: str = RUN) -> None:
        """Let a run submit its batches, as the daemon does."""
        assert self.run("--no-wait", models=models, run=run).code == 0
        assert self.make_stages(key=RunKey(project="default", run=run)) is None
        assert self.state(run) == "waiting"

    def state(self, run: str = RUN) -> str:
        """Return where a run stands."""
        return str(self.commands.json("run", "status", run, "--flow", "stt_eval")["state"])


def heard(clips: Sequence[Recording]) -> Speech:
    """Return what the stand-ins know of clips."""
    known = {
        one.sha256: SpokenClip(sha256=one.sha256, reference=one.reference, language=one.language, duration_s=1.0)
        for one in clips
    }
    return Speech(known)


@contextmanager
def listeners(speech: Speech, *, gemini_models: frozenset[str] = frozenset()) -> Iterator[tuple[Listener, Listener]]:
    """Run a Gemini and an OpenAI stand-in that hear the same."""
    with ExitStack() as held:

        def listener(app: Starlette) -> Listener:
            door = Door()
            url = held.enter_context(serve(guarded(app, door=door)))
            return Listener(url, held.enter_context(httpx.Client(base_url=url)), door=door)

        options = gemini.GeminiOptions(speech=speech, models=gemini_models)
        yield listener(gemini.create_app(options)), listener(openai.create_app(openai.OpenAIOptions(speech=speech)))


@contextmanager
def studio(
    folder: Path, clips: Sequence[Recording], gemini_models: frozenset[str] = frozenset(), /, **variables: str
) -> Iterator[Studio]:
    """Open a home with clips in it, and providers that know them; Gemini has these models, any when there are none."""
    with listeners(heard(clips), gemini_models=gemini_models) as (google, other):
        named = {
            **KEYS,
            "GOOGLE_GEMINI_BASE_URL": google.url,
            "OPENAI_BASE_URL": f"{other.url}/v1",
            "EVAL_BATCH_POLL_SECONDS": "0.1",
            "NO_PROXY": "127.0.0.1",
            **variables,
        }
        opened = Studio(google, other, Commands(folder, **named), named)
        furnish(opened.commands.home)
        opened.add(clips)
        yield opened
