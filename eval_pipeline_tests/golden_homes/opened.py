"""Opens a golden home on this machine: beside stand-ins that know its batches, as if it had been made a moment ago.

A home knows what no other machine has: the host whose processes died, the addresses of its providers, and when its
batches were created, after which they are too old to wait for. These, and only these, are written anew, by plain SQL
and plain text, so that nothing of the present code reads what it is to be tested on.
"""

import json
import sqlite3
import tarfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from eval_pipeline.dispatch.workers import this_host
from eval_pipeline.standins.gemini import app as gemini
from eval_pipeline.standins.openai import app as openai
from eval_pipeline.standins.server import serve
from eval_pipeline.standins.speech import Speech
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.golden_homes.known import known_answers, known_speech

ARCHIVES = sorted(Path(__file__).parent.glob("*.tar.xz"))


@dataclass(frozen=True)
class GoldenHome:
    """A golden home that commands can be typed at, and its providers."""

    commands: Commands
    expected: Mapping[str, Any]
    openai: httpx.Client
    gemini: httpx.Client

    def counts(self, provider: str) -> Any:  # noqa: ANN401 - JSON
        """Return what a stand-in was asked."""
        return getattr(self, provider).get("/__standin__/counts?detail=1").json()

    def ledger(self) -> sqlite3.Connection:
        """Open the ledger as the file that it is."""
        return sqlite3.connect(self.commands.home / "ledger.sqlite")


@contextmanager
def golden_home(archive: Path, folder: Path) -> Iterator[GoldenHome]:
    """Unpack an archive into a folder and open it."""
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    made = json.loads((folder / "made.json").read_text(encoding="utf-8"))
    later = timedelta(seconds=time.time() - made["made_at"])
    for path in (folder / "providers").rglob("*.json"):
        path.write_text(json.dumps(_later(json.loads(path.read_bytes()), later)), encoding="utf-8")
    with ExitStack() as held:
        apps = _standins(folder / "providers")
        urls = {name: held.enter_context(serve(app)) for name, app in apps.items()}
        moved = {old: old.replace(_origin(old), urls[name]) for name, old in made["base_urls"].items()}
        _bring_files(folder, moved, keys=made["keys"], later=later)
        with closing(sqlite3.connect(folder / "home" / "ledger.sqlite")) as ledger, ledger:
            _bring_ledger(ledger, moved, keys=made["keys"], host=made["host"], later=later)
        commands = Commands(
            folder,
            **made["keys"],
            OPENAI_BASE_URL=moved[made["base_urls"]["openai"]],
            GOOGLE_GEMINI_BASE_URL=moved[made["base_urls"]["gemini"]],
            EVAL_BATCH_POLL_SECONDS="0.1",
            NO_PROXY="127.0.0.1",
        )
        expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        clients = {name: held.enter_context(httpx.Client(base_url=url)) for name, url in urls.items()}
        yield GoldenHome(commands, expected, **clients)


def _standins(state: Path) -> dict[str, Starlette]:
    """Make providers that remember what they were asked."""
    speech = Speech(known_speech())
    openai_options = openai.OpenAIOptions(recordings=known_answers(), speech=speech, state_folder=state)
    gemini_options = gemini.GeminiOptions(speech=speech, state_folder=state)
    return {"openai": openai.create_app(openai_options), "gemini": gemini.create_app(gemini_options)}


def _later(document: Any, by: timedelta) -> Any:  # noqa: ANN401 - JSON
    """Move every moment in the state of a stand-in."""
    seconds = round(by.total_seconds())
    moved = {name: value + seconds * 10**9 for name, value in document.items() if name.endswith("_ns")}
    reached = {name: value + seconds for name, value in document.get("reached_at_s", {}).items()}
    return {**document, **moved, **({"reached_at_s": reached} if reached else {})}


def _origin(url: str) -> str:
    return url.removesuffix("/v1")


def account(base_url: str, keys: Mapping[str, str]) -> str:
    """Name the account at an address as version 0.1.0 does."""
    key = keys["OPENAI_API_KEY" if base_url.endswith("/v1") else "GEMINI_API_KEY"]
    return sha256(f"{base_url}\n{sha256(key.encode()).hexdigest()}".encode()).hexdigest()[:16]


def _bring_files(folder: Path, moved: Mapping[str, str], *, keys: Mapping[str, str], later: timedelta) -> None:
    """Write addresses anew where clips were brought to a provider, and move what is kept by account."""
    brought = [path for path in folder.rglob("delivered/*/*") if path.is_file()]
    for path in [*brought, *(folder / "providers").rglob("*.data")]:
        content = path.read_bytes()
        for old, new in moved.items():
            content = content.replace(f"{_origin(old)}/v1beta".encode(), f"{_origin(new)}/v1beta".encode())
        path.write_bytes(content)
    for path in brought:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for line in lines:
            line["expires_at"] = (datetime.fromisoformat(line["expires_at"]) + later).isoformat()
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    for old, new in moved.items():
        for path in list(folder.rglob(f"delivered/{account(old, keys)}")):
            path.rename(path.with_name(account(new, keys)))


def _bring_ledger(
    ledger: sqlite3.Connection, moved: Mapping[str, str], *, keys: Mapping[str, str], host: str, later: timedelta
) -> None:
    ledger.create_function("later", 1, lambda text: text and str(datetime.fromisoformat(text) + later))
    moments = [row[1] for row in ledger.execute("PRAGMA table_info(batch_jobs)") if row[2] == "DATETIME"]
    ledger.execute(f"UPDATE batch_jobs SET {', '.join(f'{name} = later({name})' for name in moments)}")  # noqa: S608
    for old, new in moved.items():
        places = (new, account(new, keys), old)
        ledger.execute("UPDATE batch_jobs SET base_url = ?, account = ? WHERE base_url = ?", places)
    ledger.execute("UPDATE runs SET worker_host = ? WHERE worker_host = ?", (this_host(), host))
    ledger.execute("UPDATE leases SET holder_host = ? WHERE holder_host = ?", (this_host(), host))
