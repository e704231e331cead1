"""What single lines of a Gemini batch, and single live answers, can come to; one clip for each, in one run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from eval_pipeline_tests.listening import FLASH, RUN, Studio, recordings, studio

COMPLETED, FAILED = "completed", "failed"


@dataclass(frozen=True)
class Line:
    """What the line of one clip meets, and what its pair comes to.

    Args:
        kind: the fault.
        times: how often it hits; None: always.
        outcome: of the pair.
        code: of its error.
        words: in its error's message.
        text: that is told beside a failure, or in place of what was planted.
        cleaned: the transcript is what was planted, whatever stood around it.
        executed: how often the provider executed the line.
        flag: of the pair.
    """

    kind: str
    times: int | None = None
    outcome: str = "ok"
    code: str = ""
    words: str = ""
    cleaned: bool = True
    executed: int = 1
    flag: str = ""


LINES = (
    Line("rate_limit", times=1),
    Line("server_error", times=2),
    Line("unavailable", times=1),
    Line("malformed", times=1),
    Line("no_candidate", times=1, executed=2),
    Line("not_found", times=1),
    Line("split_parts"),
    Line("thought"),
    Line("no_usage"),
    Line("line_separator"),
    Line("code_fence"),
    Line("quoted"),
    Line("labelled"),
    Line("json_text"),
    Line("loop", cleaned=False, flag="loop"),
    Line("wrong_script", cleaned=False, flag="wrong_script"),
    Line("refusal", cleaned=False),
    Line("empty", outcome="empty", cleaned=False, flag="empty"),
    Line(
        "rate_limit_no_header",
        outcome=FAILED,
        code="resource_exhausted",
        words="Resource has been exhausted",
        executed=0,
    ),
    Line("bad_request", outcome=FAILED, code="invalid_argument", words="invalid argument", executed=0),
    Line("unauthenticated", outcome=FAILED, code="unauthenticated", words="invalid authentication", executed=0),
    Line("no_candidate", outcome="missing", code="no_candidate", words="no candidate", executed=3),
    Line("blocked", outcome="refused", code="prohibited_content", words="blocked the prompt (PROHIBITED_CONTENT)"),
    Line("safety", outcome="refused", code="safety", words="the model stopped (SAFETY)"),
    Line("recitation", outcome="refused", code="recitation", words="the model stopped (RECITATION)"),
    Line("max_tokens", outcome="incomplete", code="max_tokens", words="cut at the limit", flag="truncated"),
)
CLIPS = [one for one in recordings(4 * len(LINES)) if one.reference and one.language == "en"][: len(LINES)]
NAMES = [f"{number:02d}-{line.kind}" for number, line in enumerate(LINES)]
CASES = pytest.mark.parametrize(("number", "line"), list(enumerate(LINES)), ids=NAMES)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with studio(tmp_path_factory.mktemp("lines"), CLIPS) as opened:
        opened.gemini.spoil(
            *(
                {"kind": line.kind, "endpoint": "generate", "match": one.sha256, "times": line.times}
                for one, line in zip(CLIPS, LINES, strict=True)
            )
        )
        ended = opened.run("--failure-threshold", "1")
        assert (ended.code, ended.document["state"]) == (0, "completed"), ended.document["error"]
        yield opened


def pair_of(made: Studio, number: int) -> Any:  # noqa: ANN401 - JSON
    return made.pairs()[CLIPS[number].name, FLASH]


@CASES
def test_a_line_becomes_a_transcript_or_a_failure_that_says_why(made: Studio, number: int, line: Line) -> None:
    pair = pair_of(made, number)
    heard = made.gemini.planted(FLASH)[CLIPS[number].sha256]["transcript"]

    assert pair["outcome"] == line.outcome
    if line.outcome in {"ok", "empty"}:
        assert (pair["status"], pair["error"]) == (COMPLETED, None)
        assert (pair["transcript"].split() == heard.split()) is line.cleaned
        assert (pair["transcript"] == "") is (line.outcome == "empty")
    else:
        assert (pair["status"], pair["transcript"], pair["error"]["code"]) == (FAILED, None, line.code)
        assert line.words in pair["error"]["message"]
    assert (line.flag in pair["flags"]) is bool(line.flag)


@CASES
def test_a_line_is_executed_as_often_as_it_must_be(made: Studio, number: int, line: Line) -> None:
    """What the provider refuses costs nothing; an answer without any candidate is paid for and asked again."""
    executed = made.gemini.executed()

    assert executed[f"s{number + 1:06d}m01"] == line.executed


def test_a_cut_answer_is_kept_beside_its_failure(made: Studio) -> None:
    number = next(place for place, line in enumerate(LINES) if line.kind == "max_tokens")
    pair = pair_of(made, number)
    heard = made.gemini.planted(FLASH)[CLIPS[number].sha256]["transcript"]

    assert heard.startswith(pair["raw_text"])
    assert 0 < len(pair["raw_text"]) < len(heard)


def test_failures_are_counted_and_weigh_as_deletions(made: Studio) -> None:
    shown = made.shown()
    failed = sum(line.outcome not in {"ok", "empty"} for line in LINES)
    [figures] = shown["figures"]

    assert (shown["counts"]["failed"], shown["threshold"]["observed"]) == (failed, failed / len(LINES))
    assert figures["answered"] == len(LINES) - failed
    assert figures["wer_with_failures"]["length"] > figures["wer"]["length"]


def test_what_the_account_was_at_fault_for_is_asked_again_once_a_person_came(made: Studio) -> None:
    number = next(place for place, line in enumerate(LINES) if line.kind == "unauthenticated")
    made.gemini.spoil()
    before = made.gemini.executed()
    again = made("run", "retry", RUN, "--json")
    after = made.gemini.executed()

    assert again.code == 0
    assert pair_of(made, number)["status"] == COMPLETED
    asked = {item for item in after if after[item] > before[item]}
    passing = {"unauthenticated", "rate_limit_no_header", "no_candidate"}
    assert asked == {
        f"s{place + 1:06d}m01" for place, line in enumerate(LINES) if line.outcome != "ok" and line.kind in passing
    }
