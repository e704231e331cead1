from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.core.retry import RetryPolicy
from eval_pipeline.dispatch.embed import (
    EmbeddedPack,
    EmbeddedText,
    EmbedOutcome,
    embed_texts,
    pack_texts,
    text_digest,
)
from eval_pipeline.dispatch.gate import StopReason
from eval_pipeline_tests.dispatch.fake_provider import (
    BAD_REQUEST,
    ENDPOINT,
    SERVER_ERROR,
    WRONG_KEY,
    FakeEmbedder,
)
from eval_pipeline_tests.dispatch.virtual_time import run_virtually, virtual_timing


class Sink:
    """Keeps what was embedded."""

    def __init__(self) -> None:
        self.packs: list[EmbeddedPack] = []

    async def __call__(self, pack: EmbeddedPack) -> None:
        self.packs.append(pack)

    def of(self, text: str) -> EmbeddedText:
        found = [entry for pack in self.packs for entry in pack.texts if entry.digest == text_digest(text)]
        assert len(found) == 1
        return found[0]


def run(texts: Sequence[str], embedder: FakeEmbedder, sink: Sink | None = None, **options: Any) -> EmbedOutcome:  # noqa: ANN401 - passed on
    async def work() -> EmbedOutcome:
        return await embed_texts(
            texts,
            embedder=embedder,
            sink=sink or Sink(),
            policy=RetryPolicy(),
            concurrency=3,
            endpoint=ENDPOINT,
            timing=virtual_timing(),
            **options,
        )

    return run_virtually(work())


def test_a_text_is_embedded_once_however_often_it_occurs() -> None:
    embedder, sink = FakeEmbedder(), Sink()

    outcome = run(["a", "b", "a", "c", "b", "a"], embedder, sink)

    assert embedder.packs == [["a", "b", "c"]]
    assert outcome == EmbedOutcome(embedded=3, failed=0, calls=1, stopped=None)
    assert sink.of("b").vector == b"\0\0\x80\x3f" * 4


def test_known_texts_are_not_embedded_again() -> None:
    embedder = FakeEmbedder()

    run(["a", "b"], embedder, known={text_digest("a")})

    assert embedder.packs == [["b"]]


def test_a_pack_holds_at_most_2048_texts() -> None:
    packs = list(pack_texts((f"text {n}" for n in range(5000)), known=()))

    assert [len(pack) for pack in packs] == [2048, 2048, 904]


def test_a_pack_holds_at_most_300000_tokens_guessed_high() -> None:
    packs = list(pack_texts((f"{n:06d}" + "x" * 16_000 for n in range(100)), known=()))

    assert {len(pack) for pack in packs[:-1]} == {37}


def test_a_bad_text_fails_alone() -> None:
    texts = [f"text {n}" for n in range(64)]
    sink = Sink()

    outcome = run(texts, FakeEmbedder(bad=["text 13"]), sink)

    assert (outcome.embedded, outcome.failed) == (63, 1)
    assert sink.of("text 13").problem == "invalid_value: it said invalid_value"
    assert sink.of("text 13").finished


def test_a_call_that_is_too_large_is_halved() -> None:
    outcome = run([f"text {n}" for n in range(100)], FakeEmbedder(most_texts=30))

    assert outcome.embedded == 100


def test_a_wrong_parameter_does_not_cost_a_call_per_text() -> None:
    texts = [f"text {n}" for n in range(2000)]
    embedder = FakeEmbedder(bad=texts)

    outcome = run(texts, embedder)

    assert outcome.failed == 2000
    assert len(embedder.packs) < 40


def test_a_blank_text_has_a_problem_and_costs_no_call() -> None:
    embedder, sink = FakeEmbedder(), Sink()

    run(["", "a", " \n"], embedder, sink)

    assert embedder.packs == [["a"]]
    assert sink.of("").problem == "the text is blank"
    assert sink.of("").finished


def test_a_passing_fault_is_tried_again() -> None:
    outcome = run(["a"], FakeEmbedder(faults=[SERVER_ERROR, SERVER_ERROR]))

    assert outcome == EmbedOutcome(embedded=1, failed=0, calls=3, stopped=None)


def test_texts_of_a_call_that_never_got_through_may_be_asked_again_later() -> None:
    sink = Sink()

    outcome = run(["a"], FakeEmbedder(faults=[SERVER_ERROR] * 5), sink)

    assert outcome.failed == 1
    assert not sink.of("a").finished


def test_a_vector_of_another_length_than_the_others_is_that_texts_problem() -> None:
    sink = Sink()
    texts = [f"text {n}" for n in range(3000)]

    outcome = run(texts, FakeEmbedder(width=lambda text: 3 if text == "text 2500" else 4), sink)

    assert (outcome.embedded, outcome.failed) == (2999, 1)
    assert sink.of("text 2500").problem == "the vector has 3 dimensions where 4 are expected"


def test_a_vector_that_is_no_good_may_be_asked_for_again() -> None:
    sink = Sink()

    run(["a", "b"], FakeEmbedder(width=lambda text: 3 if text == "b" else 4, omitted=["a"]), sink, dimensions=4)

    assert [(text.problem, text.finished) for text in sink.packs[0].texts] == [
        ("the provider returned no vector for this text", False),
        ("the vector has 3 dimensions where 4 are expected", False),
    ]


def test_texts_that_were_refused_together_may_be_asked_again_each() -> None:
    sink = Sink()

    run(["a", "b"], FakeEmbedder(faults=[BAD_REQUEST]), sink)

    assert [sink.of(text).finished for text in "ab"] == [False, False]


def test_a_wrong_key_stops_the_stage_and_stores_nothing() -> None:
    sink = Sink()

    with pytest.raises(EvalPipelineError, match="refused the key"):
        run(["a", "b"], FakeEmbedder(faults=[WRONG_KEY]), sink)

    assert sink.packs == []


def test_every_call_says_what_it_used() -> None:
    sink = Sink()

    run(["a", "b"], FakeEmbedder(faults=[SERVER_ERROR]), sink)

    assert [(pack.usage, pack.model, pack.billed) for pack in sink.packs] == [
        (Usage(input=2, total=2), "text-embedding-3-small", True)
    ]


def test_a_refused_call_is_billed_for_nothing() -> None:
    sink = Sink()

    run(["a"], FakeEmbedder(faults=[BAD_REQUEST]), sink)

    assert [pack.billed for pack in sink.packs] == [False]


def test_a_cancelled_stage_leaves_the_rest_for_later() -> None:
    sink = Sink()
    texts = [f"text {n}" for n in range(20_000)]

    outcome = run(texts, FakeEmbedder(), sink, should_stop=lambda: StopReason.CANCELLED if sink.packs else None)

    assert outcome.stopped is StopReason.CANCELLED
    assert outcome.embedded == 3 * 2048


@pytest.mark.parametrize(("lost", "billed"), [(2, True), (5, False)])
def test_lost_calls_are_counted_and_not_taken_for_replies_without_usage(*, lost: int, billed: bool) -> None:
    sink = Sink()

    run(["a"], FakeEmbedder(faults=[replace(SERVER_ERROR, maybe_billed=True)] * lost), sink)

    assert [(pack.unreported_calls, pack.billed) for pack in sink.packs] == [(lost, billed)]
