"""One case: a run of five items that meets a scenario over HTTP, and what is wrong with what came of it."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from eval_pipeline_tests.commands import Ended
from eval_pipeline_tests.faults.columns import Column, Work
from eval_pipeline_tests.faults.scenarios import Kill, Scenario
from eval_pipeline_tests.listening import Listener, Studio

ITEMS = 5
PATIENCE_S = 300
QUESTIONS = [f"what is {number}?" for number in range(ITEMS)]
GOLDEN = "question,answer\n" + "".join(f"{question},{number}\n" for number, question in enumerate(QUESTIONS))
IMPATIENT = {"EVAL_BATCH_POLL_SECONDS": "0.1", "EVAL_BATCH_CREATE_TIMEOUT_SECONDS": "5"}


@dataclass
class Trial:
    """Runs cases in one home; ``sound`` is what a column brings when all is well."""

    studio: Studio
    providers: Mapping[str, Listener]
    sound: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def faults_of(self, column: Column, scenario: Scenario) -> list[str]:
        """Run a case; returns what is wrong, nothing when all is as it must be."""
        provider = self.providers[column.standin]
        for listener in self.providers.values():
            listener.spoil()
            listener.spoil_batches()
            listener.api.delete("/__standin__/batches")
        provider.spoil(*scenario.calls(column))
        provider.spoil_batches(*scenario.batches(column))
        run = f"{column.name}-{scenario.name}".lower().translate(_NAMES)
        try:
            with _at_most(PATIENCE_S):
                ended = self._run(column, scenario, run, provider)
                found = [f"never met: {rule}" for rule in provider.unprovoked()]
                found += self._judged(column, scenario, run, ended, provider)
                if scenario.offers and not found:
                    found = self._resent(column, run)
        except _TooLongError:
            return [f"no end within {PATIENCE_S} s"]
        finally:
            provider.door.opened.set()
        return found

    def _run(self, column: Column, scenario: Scenario, run: str, provider: Listener) -> Ended:
        flow = "stt" if column.work is Work.TRANSCRIPTS else "text"
        dataset = "clips" if column.work is Work.TRANSCRIPTS else "golden"
        command = (flow, "run", run, "--dataset", dataset, *column.options, "--json")
        settings = {**IMPATIENT, **scenario.settings}
        if "result" in scenario.words:
            settings["EVAL_BATCH_LOST_SECONDS"] = "0"
        if scenario.kill is None:
            return self.studio(*command, **settings)
        self._kill(command, settings, scenario.kill, column, provider)
        return self.studio("run", "retry", run, "--json", **settings)

    def _kill(
        self, command: tuple[str, ...], settings: Mapping[str, str], kill: Kill, column: Column, provider: Listener
    ) -> None:
        others_first = column.work is Work.EMBEDDINGS and column.standin != ""
        path = "atch" if kill.call == "create" else column.names[kill.call]
        provider.door.hold(kill.method, path, after=int(others_first))
        with self.studio.commands.begin(*command, **settings) as process:
            if not provider.door.reached.wait(PATIENCE_S):
                raise _TooLongError
            process.kill()
        provider.door.opened.set()

    def _judged(self, column: Column, scenario: Scenario, run: str, ended: Ended, provider: Listener) -> list[str]:
        found = list(self._results_judged(column, scenario, run))
        executed = _executed(column, provider)
        again = sorted(item for item, count in executed.items() if count > 1)
        if len(again) > scenario.again:
            found.append(f"executed more than once: {again}, of {scenario.again} that may be")
        batches = self._batches(column, provider)
        if batches != scenario.rounds:
            found.append(f"{batches} batches instead of {scenario.rounds}")
        code = 0 if scenario.lost is not None else 100
        if ended.code != code:
            told = {name: ended.document.get(name) for name in ("state", "error", "warnings")}
            found.append(f"exit {ended.code} instead of {code}: {told} {ended.err[-300:]}")
        found += [
            f"{job['job']}: {job['outcomes']} of {job['requests']}"
            for job in ended.document.get("batches", [])
            if job["outcomes"] and sum(job["outcomes"].values()) != job["requests"]
        ]
        if scenario.words and not any(scenario.words in text for text in self._told(column, run, ended)):
            found.append(f"nobody is told {scenario.words!r}")
        return found

    def _results_judged(self, column: Column, scenario: Scenario, run: str) -> Iterator[str]:
        got = self._results(column, run)
        sound = self.sound.setdefault(column.name, got)
        missing = [item for item, value in got.items() if value is None]
        expected = ITEMS if scenario.lost is None else scenario.lost
        if len(got) != ITEMS or len(missing) != expected:
            yield f"{len(missing)} of {len(got)} items without a result instead of {expected} of {ITEMS}"
        wrong = [item for item, value in got.items() if value is not None and value != sound.get(item)]
        if wrong:
            yield f"another result than when all is well: {wrong}"

    def _results(self, column: Column, run: str) -> dict[str, object]:
        """Return what each item came to; None where it came to nothing."""
        if column.work is Work.TRANSCRIPTS:
            return {
                one["file_name"]: _words(one["transcript"]) if one["status"] == "completed" else None
                for one in self.studio.shown(run)["results"]
            }
        traces = self.studio.commands.json("text", "show", run, "--detail")["traces"]
        if column.work is Work.ANSWERS:
            ok = [(one["question"], one["llm_answer"] if one["status"] == "ok" else None) for one in traces]
            return {question: _words(answer) for question, answer in ok}
        return {one["question"]: _similarity(one) for one in traces}

    def _batches(self, column: Column, provider: Listener) -> int:
        """Count the batches of the column's kind that were made, those that failed for want of room included."""
        known = provider.batches()
        if column.standin == "openai":
            return sum(batch["endpoint"] == column.batches for batch in known)
        if column.standin == "anthropic":  # deletes a batch with its results
            return int(provider.counts()["batches"]["created"])
        wanted = "embed" if column.work is Work.EMBEDDINGS else "flash"
        return sum(wanted in str(batch["metadata"].get("model", "")) for batch in known)

    def _told(self, column: Column, run: str, ended: Ended) -> Iterator[str]:
        yield ended.out
        flow = "stt" if column.work is Work.TRANSCRIPTS else "text"
        yield self.studio(flow, "show", run, "--detail", "--json").out
        yield self.studio("run", "status", run, "--flow", f"{flow}_eval").out

    def _resent(self, column: Column, run: str) -> list[str]:
        """Send again what was lost, as the offer says."""
        again = self.studio("run", "retry", run, "--resend-lost", "--json", **IMPATIENT)
        missing = [item for item, value in self._results(column, run).items() if value is None]
        return [] if again.code == 0 and not missing else [f"--resend-lost ends with {again.code}, without {missing}"]


_NAMES = str.maketrans(dict.fromkeys(" ,+", "-"))


def _executed(column: Column, provider: Listener) -> Mapping[str, int]:
    """Count how often each line was executed; Anthropic's have another id in every batch."""
    if column.standin == "anthropic":
        told: Mapping[str, int] = provider.counts()["batches"]["by_text"]
        return told
    return provider.executed()


def _words(text: str | None) -> list[str] | None:
    return None if text is None else text.split()  # at a U+2028, too


def _similarity(trace: Mapping[str, Any]) -> float | None:
    [score] = [score for score in trace["scores"] if score["name"] == "cosine_similarity"]
    return None if score["value"] is None else round(float(score["value"]), 6)


class _TooLongError(BaseException):
    """A case that does not end; nothing on the way takes it for an error of its own."""


@contextmanager
def _at_most(seconds: int) -> Iterator[None]:
    """Break off what lasts too long; nothing that is tried here may hang."""

    def too_long(*_: object) -> None:
        raise _TooLongError

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
