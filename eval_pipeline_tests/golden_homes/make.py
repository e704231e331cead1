"""Make a golden home with the present version: ``python -m eval_pipeline_tests.golden_homes.make VERSION.tar.xz``.

Every run is made through the real command line against the stand-ins, in the states in which an upgrade may meet it.
What the archive holds, and how it is used, stands in the README beside this module.
"""

import json
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from eval_pipeline.dispatch.workers import this_host
from eval_pipeline.standins.gemini import app as gemini
from eval_pipeline.standins.openai import app as openai
from eval_pipeline.standins.server import serve
from eval_pipeline.standins.speech import Speech
from eval_pipeline_tests.commands import Commands
from eval_pipeline_tests.golden_homes.known import ANSWERS, CLIPS, MODEL, known_answers, known_speech
from eval_pipeline_tests.standins.speaking import REFERENCES

KEYS = {"OPENAI_API_KEY": "sk-golden-0f51", "GEMINI_API_KEY": "AIza-golden-0f51"}
EMBEDDER, FLASH, WHISPER = "text-embedding-3-small", "gemini-2.5-flash", "whisper-1"
PATIENCE_S = 60
NEVER = 10**6
HOST = "elsewhere#00000000"
"""Where the home says that it was made."""

SCORERS = ("cosine_similarity", "exact_match", "contains", "numeric", "token_f1", "regex:[0-9]+")
TEXT = ("--dataset", "golden", "--model", MODEL, "--embedding-model", EMBEDDER, "--embedding-dimensions", "64")
SCORED = tuple(part for scorer in SCORERS for part in ("--scorer", scorer))
LONG, REPEATS = 10, 3
"""Questions of the runs that stop half-way, and how often each is asked."""


@dataclass(frozen=True)
class Site:
    """The home while it is made, and the control URLs of its providers."""

    commands: Commands
    openai: httpx.Client
    gemini: httpx.Client

    def set(self, provider: httpx.Client, name: str, document: object) -> None:
        """Tell a stand-in how to behave."""
        assert provider.post(f"/__standin__/{name}", json=document).status_code == 200

    def ended(self, *arguments: str, code: int = 0) -> None:
        """Run a command to its end, which is to be this."""
        ended = self.commands(*arguments)
        assert ended.code == code, (arguments, ended)

    def stopped(self, *arguments: str, flow: str, when: Callable[[Any], bool], how: signal.Signals) -> None:
        """Begin a command as a process of its own, and stop it when its run stands as is wanted."""
        run = arguments[2]
        with self.commands.begin(*arguments) as process:
            end_s = time.monotonic() + PATIENCE_S
            while not when(status := self.commands("run", "status", run, "--flow", flow, "--json").document):
                assert time.monotonic() < end_s, status
                assert process.poll() is None, process.communicate()
                time.sleep(0.05)
            while process.poll() is None:  # one that comes between two stages interrupts nothing
                process.send_signal(how)
                with suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=2)


def make(archive: Path) -> None:
    """Make the home and what belongs to it, and pack both."""
    with TemporaryDirectory() as name, ExitStack() as held:
        folder = Path(name)
        state = folder / "providers"
        speech = Speech(known_speech())
        options = openai.OpenAIOptions(recordings=known_answers(), speech=speech, state_folder=state)
        apps = {
            "openai": openai.create_app(options),
            "gemini": gemini.create_app(gemini.GeminiOptions(speech=speech, state_folder=state)),
        }
        urls = {provider: held.enter_context(serve(app)) for provider, app in apps.items()}
        addresses = {"openai": f"{urls['openai']}/v1", "gemini": urls["gemini"]}
        commands = Commands(
            folder,
            **KEYS,
            LOGNAME="operator",
            OPENAI_BASE_URL=addresses["openai"],
            GOOGLE_GEMINI_BASE_URL=addresses["gemini"],
            EVAL_BATCH_POLL_SECONDS="0.1",
            NO_PROXY="127.0.0.1",
        )
        clients = {provider: held.enter_context(httpx.Client(base_url=url)) for provider, url in urls.items()}
        _make_everything(Site(commands, **clients))
        told = {"host": HOST, "base_urls": addresses, "made_at": time.time(), "keys": KEYS}
        _write(folder / "made.json", told)
        _write(folder / "expected.json", _expected(commands))
        _pack(folder, archive)


def _make_everything(site: Site) -> None:
    _add_datasets(site)
    _make_ended_runs(site)
    _make_stopped_runs(site)
    _make_waiting_runs(site)


def _add_datasets(site: Site) -> None:
    commands = site.commands
    header = "question,answer,question_id\n"
    rows = [f'"{question}",{answer},{place}\n' for place, (question, (answer, _)) in enumerate(ANSWERS.items(), 1)]
    commands.add("golden", header + "".join(rows[:3]), "--duplication-factor", "1")
    commands.add("golden", header + "".join(rows), "--duplication-factor", "2")
    commands.add("long", "question,answer\n" + "".join(f"Question {n}?,Answer {n}\n" for n in range(LONG)))
    commands.add("golden", header + "".join(rows), "--project", "north")
    folder = commands.folder / "clips"
    folder.mkdir()
    lines = []
    for number, data in enumerate(CLIPS):
        (folder / f"clip{number}.wav").write_bytes(data)
        language = "hi" if number == 1 else "en"
        lines.append({"audio": f"clip{number}.wav", "reference": REFERENCES[number], "language": language})
    (folder / "manifest.jsonl").write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    commands.json("dataset", "add", "clips", str(folder / "manifest.jsonl"), "--kind", "stt")


def _make_ended_runs(site: Site) -> None:
    site.ended("text", "run", "fast", *TEXT, *SCORED, "--mode", "fast")
    site.ended("text", "run", "batch", *TEXT, *SCORED)
    site.ended("text", "run", "fast", *TEXT, "--scorer", "exact_match", "--mode", "fast", "--project", "north")
    site.set(site.openai, "faults", [{"kind": "bad_request", "endpoint": "responses"}])
    site.ended("text", "run", "breached", *TEXT, "--mode", "fast", code=100)
    site.set(site.openai, "faults", [])
    models = ("--model", FLASH, "--model", f"openai/{WHISPER}")
    site.ended("stt", "run", "live", "--dataset", "clips", *models, "--mode", "fast")
    site.ended("stt", "run", "batch", "--dataset", "clips", *models)
    _judge(site)


def _judge(site: Site) -> None:
    shown = site.commands.json("stt", "show", "live", "--detail")["results"]
    by_file = {(one["file_name"], one["model"]): one["sample"] for one in shown}
    judge = ("stt", "feedback", "live", "--reviewer", "Meera", "--set")
    site.ended(*judge, by_file["clip0.wav", FLASH], FLASH, "--wrong", "--tag", "name", "--comment", "the river: नदी")
    site.ended(*judge, by_file["clip1.wav", FLASH], FLASH, "--correct")
    site.ended(*judge, by_file["clip1.wav", FLASH], FLASH, "--wrong", "--comment", "बाज़ार")
    site.ended(*judge, by_file["clip3.wav", WHISPER], WHISPER, "--correct")


def _make_stopped_runs(site: Site) -> None:
    long = (
        "--dataset",
        "long",
        "--scorer",
        "exact_match",
        "--mode",
        "fast",
        "--concurrency",
        "2",
        "--repeats",
        str(REPEATS),
    )
    late = [f"Question {number}?" for number in range(LONG // 2, LONG)]
    rules = [{"kind": "unauthorized", "endpoint": "responses", "match": question} for question in late]
    site.set(site.openai, "faults", rules)
    site.ended("text", "run", "refused", *long, code=1)
    site.set(site.openai, "faults", [])

    def is_under_way(status: Any) -> bool:  # noqa: ANN401 - JSON
        billed = site.openai.get("/__standin__/counts?detail=1").json()["responses"]["inputs"]
        return bool(status.get("state") == "running" and billed > before + LONG)

    before = site.openai.get("/__standin__/counts").json()["responses"]["inputs"]
    site.set(site.openai, "settings", {"latency_s": 0.3})
    site.stopped("text", "run", "killed", *long, flow="text_eval", when=is_under_way, how=signal.SIGKILL)
    site.set(site.openai, "settings", {"latency_s": 0.0})


def _make_waiting_runs(site: Site) -> None:
    for provider in (site.openai, site.gemini):
        site.set(provider, "batch_settings", {"batch_polls": NEVER})

    def waits_for(stage: str) -> Callable[[Any], bool]:
        return lambda status: bool(
            status.get("state") == "waiting"
            and any(job["stage"] == stage and job["batch"] and job["state"] == "submitted" for job in status["batches"])
        )

    site.stopped(
        "text",
        "run",
        "waits-for-answers",
        *TEXT,
        *SCORED,
        flow="text_eval",
        when=waits_for("responses"),
        how=signal.SIGINT,
    )

    def has_answers(status: Any) -> bool:  # noqa: ANN401 - JSON
        for job in status.get("batches", ()):
            if job["stage"] == "responses" and job["state"] == "submitted" and job["batch"]:
                site.set(site.openai, f"batches/{job['batch']}", {"status": "completed"})
        return waits_for("embeddings")(status)

    site.stopped(
        "text", "run", "waits-for-vectors", *TEXT, *SCORED, flow="text_eval", when=has_answers, how=signal.SIGINT
    )
    speech = ("stt", "run", "waits-for-gemini", "--dataset", "clips", "--model", FLASH)
    site.stopped(*speech, flow="stt_eval", when=waits_for("transcripts"), how=signal.SIGINT)
    requested = ("text", "run", "requested", *TEXT, *SCORED, "--mode", "fast", "--no-wait")
    site.ended(*requested)


def _expected(commands: Commands) -> Mapping[str, Any]:
    """Write down what this version says of every run: shown, listed, exported, judged."""
    with closing(sqlite3.connect(commands.home / "ledger.sqlite")) as ledger:
        rows = ledger.execute("SELECT project, flow, name, spec_hash FROM runs ORDER BY id").fetchall()
    runs = []
    for project, flow, name, spec_hash in rows:
        group = {"text_eval": "text", "stt_eval": "stt"}[flow]
        status = commands.json("run", "status", name, "--project", project, "--flow", flow)
        told = {"project": project, "flow": flow, "run": name, "spec_hash": spec_hash, "state": status["state"]}
        runs.append(told)
        if status["state"] == "completed" or name == "breached":
            told["shown"] = commands.json(group, "show", name, "--project", project, "--detail")
            target = commands.folder / "export.csv"
            commands.json(group, "export", name, "--project", project, "--output", str(target))
            told["export"] = target.read_text(encoding="utf-8")
            target.unlink()
    datasets = [commands.json("dataset", "list", "--project", project)["datasets"] for project in ("default", "north")]
    return {"runs": runs, "datasets": datasets, "feedback": commands.json("stt", "feedback", "live")}


def _write(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _pack(folder: Path, archive: Path) -> None:
    """Pack the home, the providers' state and the two documents, without what names the machine that made them."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if path.suffix in {".db", ".sqlite"}:
            with closing(sqlite3.connect(path)) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                _make_neutral(database)
                database.execute("VACUUM")
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with tarfile.open(archive, "w:xz", preset=9) as packed:
        for name in ("home", "providers", "made.json", "expected.json"):
            packed.add(folder / name, name, filter=_nobodys)


def _make_neutral(database: sqlite3.Connection) -> None:
    database.create_function("neutral", 1, lambda value: _neutral(value) if isinstance(value, str) else value)
    for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        columns = [
            row[1] for row in database.execute(f"PRAGMA table_info('{table}')") if "CHAR" in row[2] or "TEXT" in row[2]
        ]
        if columns:
            changes = ", ".join(f'"{column}" = neutral("{column}")' for column in columns)
            database.execute(f'UPDATE "{table}" SET {changes}')  # noqa: S608 - the names are the database's own
    database.commit()


def _neutral(text: str) -> str:
    names = {
        sys.prefix: "/srv/code/.venv",
        str(Path(__file__).parents[2]): "/srv/code",
        sys.base_prefix: "/usr",
        this_host(): HOST,
    }
    for name, neutral in names.items():
        text = text.replace(name, neutral)
    return text


def _nobodys(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if info.name.endswith(("-wal", "-shm", ".lock")) or "/compute_logs/" in info.name:
        return None
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


if __name__ == "__main__":
    make(Path(sys.argv[1]))
