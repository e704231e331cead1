import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from eval_pipeline.core.names import RunKey
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.dispatch.embed import EmbeddedPack, EmbeddedText, embed_texts, text_digest
from eval_pipeline.dispatch.vectors import VectorIndex, VectorRecorder
from eval_pipeline.storage.journal import Journal
from eval_pipeline.storage.local import LocalObjectStore
from eval_pipeline_tests.dispatch.fake_provider import ENDPOINT, FakeEmbedder


@dataclass(frozen=True)
class Line:
    """One line and where it is."""

    offset: int
    length: int
    line: bytes


class MemoryJournal:
    """A journal and its spool in one."""

    def __init__(self) -> None:
        self.data = b""

    async def record(self, line: bytes) -> None:
        self.data += line + b"\n"

    def __iter__(self) -> Iterator[Line]:
        offset = 0
        for line in self.data.splitlines():
            yield Line(offset, len(line), line)
            offset += len(line) + 1

    def line_at(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


def test_a_stage_that_was_killed_asks_only_what_its_journal_does_not_hold(tmp_path: Path) -> None:
    journal = Journal(LocalObjectStore(tmp_path), StageRef(Flow.TEXT, RunKey("default", "run"), "embeddings"))
    killed, resumed = FakeEmbedder(latency_s=0.0), FakeEmbedder(latency_s=0.0)
    texts = [f"text {n}" for n in range(5000)]

    async def embed(embedder: FakeEmbedder, texts: Sequence[str], *, attempt: int) -> None:
        with journal.spool() as lines:
            known = VectorIndex.read(lines)
            with journal.writer(attempt) as writer:
                await embed_texts(
                    texts,
                    embedder=embedder,
                    sink=VectorRecorder(writer.record),
                    known=known,
                    policy=RetryPolicy(),
                    concurrency=2,
                    endpoint=ENDPOINT,
                    dimensions=known.dimensions,
                )

    asyncio.run(embed(killed, texts[:3000], attempt=1))
    asyncio.run(embed(resumed, texts, attempt=2))

    assert sorted(text for pack in resumed.packs for text in pack) == sorted(texts[3000:])
    with journal.spool() as lines:
        index = VectorIndex.read(lines)
        assert all(index.vector(text) for text in texts)
        assert index.usage.input == 5000


def text(words: str, vector: bytes | None, *, problem: str | None = None, finished: bool = True) -> EmbeddedText:
    return EmbeddedText(text_digest(words), vector, problem, finished=finished)


def pack(*texts: EmbeddedText, usage: Usage | None = None, billed: bool = True) -> EmbeddedPack:
    return EmbeddedPack(
        texts=texts, usage=usage, retried_usage=Usage(input=1, total=1), model="text-embedding-3-small", billed=billed
    )


def recorded(*packs: EmbeddedPack) -> VectorIndex:
    journal = MemoryJournal()

    async def work() -> None:
        for one in packs:
            await VectorRecorder(journal.record)(one)

    asyncio.run(work())
    return VectorIndex.read(journal)


def test_vectors_come_back_byte_for_byte_in_any_order() -> None:
    vectors = {f"text {n}": bytes([n]) * 8 for n in range(50)}

    index = recorded(pack(*(text(words, vector) for words, vector in vectors.items())))

    assert {words: index.vector(words) for words in reversed(vectors)} == vectors
    assert (len(index), index.dimensions) == (50, 2)


def test_a_line_of_another_length_is_found_too() -> None:
    index = recorded(pack(text("a", b"12345678"), text("b", b"123456789012"), text("c", b"87654321")))

    assert [index.vector(words) for words in "abc"] == [b"12345678", b"123456789012", b"87654321"]


def test_a_lasting_problem_needs_no_further_call_and_a_passing_one_does() -> None:
    index = recorded(
        pack(text("bad", None, problem="too long"), text("late", None, problem="server_error", finished=False))
    )

    assert text_digest("bad") in index
    assert text_digest("late") not in index
    assert (index.problem("bad"), index.problem("late"), index.problem("never asked")) == (
        "too long",
        "server_error",
        None,
    )


def test_a_later_vector_replaces_an_earlier_problem() -> None:
    index = recorded(
        pack(text("late", None, problem="server_error", finished=False), billed=False), pack(text("late", b"1234"))
    )

    assert index.problem("late") is None
    assert index.vector("late") == b"1234"


def test_the_usage_of_all_calls_is_kept_with_those_that_told_none() -> None:
    index = recorded(
        pack(text("a", b"1234"), usage=Usage(input=10, total=10)),
        pack(text("b", b"1234")),
        pack(text("c", None, problem="refused"), billed=False),
    )

    assert index.usage == Usage(input=13, total=13)
    assert (index.calls, index.calls_without_usage) == (2, 1)
    assert index.model == "text-embedding-3-small"


def test_calls_that_were_lost_are_counted_and_leave_the_cost_known() -> None:
    lost = replace(pack(text("a", None, problem="timeout", finished=False), billed=False), unreported_calls=2)

    index = recorded(lost, pack(text("a", b"1234"), usage=Usage(input=10, total=10)))

    assert (index.calls, index.calls_without_usage, index.unreported_calls) == (1, 0, 2)


def test_texts_without_a_vector_are_asked_again_and_no_others() -> None:
    journal = MemoryJournal()
    texts = ["a", "", "b", "c", "bad"]
    embedders = [FakeEmbedder(omitted=["b", "c"], bad=["bad"], latency_s=0.0), FakeEmbedder(latency_s=0.0)]
    for embedder in embedders:
        asyncio.run(
            embed_texts(
                texts,
                embedder=embedder,
                sink=VectorRecorder(journal.record),
                known=VectorIndex.read(journal),
                policy=RetryPolicy(),
                concurrency=1,
                endpoint=ENDPOINT,
            )
        )

    healed = VectorIndex.read(journal)
    assert embedders[1].packs == [["b", "c"]]
    assert [healed.vector(text) is not None for text in texts] == [True, False, True, True, False]
    assert (healed.problem("b"), healed.problem("")) == (None, "the text is blank")
