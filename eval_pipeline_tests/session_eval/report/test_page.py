"""The report of sessions as a page: what it says of made-up runs, and that nothing in them becomes part of the page."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import orjson
import pytest

from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.judging.material import Part, Speaker
from eval_pipeline.judging.panel import Expert, Panel
from eval_pipeline.judging.rubric import Axis, Rubric
from eval_pipeline.session_eval.report.data import SaidOfMessage, Transcript
from eval_pipeline.session_eval.report.page import render_html, render_markdown
from eval_pipeline.session_eval.report.words import speaker_words, trust_sentence
from eval_pipeline_tests.session_eval.report.session_reports import (
    NOW,
    PANEL,
    helpline_report,
    helpline_source,
    judgement,
    run_record,
    score_row,
    transcript,
    verdict,
)

ATTACK = "</span><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202e"


def words_of(page: str) -> str:
    body = page[page.index("<body>") :]
    return unescape(" ".join(re.sub(r"<[^>]*>", " ", body).split()))


def test_the_page_answers_what_somebody_asks_who_runs_a_helpline() -> None:
    data = helpline_report()
    told = words_of(render_html(data))

    for part in (
        "In 9 of 40 sessions (22%) the user got what they came for, by the judges' marks; in 9 in part, in 22 not.",
        "The average mark is 43 of 100. With other sessions of the same kind it would lie between 32 and 54.",
        "From 32 in the week of 19 January to 48 in that of 23 February; the weeks' ranges overlap",
        "1 session could be judged by a part of the panel only.",
        "To none of these sessions applies: Work of helpers , Changes to itself .",
        "The 10 sessions with the lowest average, and 30 more in the export",
        "Of two sessions, one that is known to have worked and one that is known to have failed, the judges give the",
        "Going by the length of a session alone gets 54 (",
        "They agree least with people on Goal reached: at 0.78",
        "402 of their 435 quotes (92.4%) stand in the session word for word.",
        "Orders to the judge were planted into copies of some sessions; no mark rose.",
        "auditor gave no usable answer 1 time: the answer is not one JSON object (1)",
        "The judges found fault with",
        "The judges found no fault: lowest is",
        "On 2 sessions judges are far apart",
        "Time zone: Asia/Kolkata",
        "$0.16",
    ):
        assert part.lower() in told.lower(), part
    assert trust_sentence(data).kind == "good"
    assert "मेरी बेटी को तीन दिन से बुखार है" in told
    markdown = render_markdown(data)
    assert "In 9 of 40 sessions" in markdown
    assert "data:image/svg+xml;base64," in markdown


def test_quotes_are_marked_where_they_stand_and_lead_to_their_verdict() -> None:
    page = render_html(helpline_report())
    [session] = re.findall(r'<article class="item" id="session-2">.*?</article>', page, re.DOTALL)

    assert '<mark title="outcome on ' in session
    assert ">Spray urea at 2 %</mark>" in session
    numbers = re.findall(r'<sup><a href="#(s2q\d+)">\[\d+\]</a></sup>', session)
    assert numbers
    assert all(f'<li id="{number}"' in session for number in numbers)


def test_nothing_that_others_wrote_becomes_part_of_the_page() -> None:
    axis = Axis("goal_completion", ATTACK, {"0": ATTACK, "100": "Done"}, evidence_from=75)
    other = Axis("charm", ATTACK, {"0": ATTACK, "100": "Done"}, required=False)
    expert = Expert("outcome", f"openai/{ATTACK}", ("goal_completion", "charm"), ATTACK, {})
    panel = Panel(ATTACK, Rubric(ATTACK, {"goal_completion": axis, "charm": other}), (expert,))
    said = {name: verdict("0", (1, ATTACK, True), (2, ATTACK, False), reasoning=ATTACK) for name in panel.rubric.axes}
    hits = orjson.dumps([{"message_index": 1, "rule": "grade_label", "text": ATTACK}]).decode()
    rows = [
        judgement(
            "s-000",
            "outcome",
            said,
            user_goal=ATTACK,
            outcome_summary=ATTACK,
            hits=hits,
            model_returned=ATTACK,
        )
    ]
    failed = [judgement("s-001", "outcome", {}, status="failed", error_message=ATTACK, error_code="x")]
    names: dict[str, Any] = {"name": ATTACK, "profile_id": ATTACK, "dislikes": 1}
    scores = [score_row("s-000", 0, rows, panel, **names), score_row("s-001", 1, failed, panel, name=ATTACK)]
    parts = [Part(1, speaker, ATTACK * 40, ATTACK) for speaker in Speaker] + [Part(2, Speaker.TOOL, "x")]
    source = replace(
        helpline_source(4),
        panel=panel,
        scores=scores,
        judgements=[*rows, *failed],
        run=run_record(requested_by=ATTACK, dataset_name=ATTACK),
        transcripts=lambda *_: Transcript(
            parts, [SaidOfMessage(1, liked=False, comment=ATTACK, author=ATTACK, said_at=NOW)]
        ),
        zone=ATTACK,
        agreement={"axes": [], "predicted": []},
    )
    data = helpline_report(**{name: getattr(source, name) for name in source.__slots__})
    page = render_html(data)
    markdown = render_markdown(data)

    body = page[page.index("<body>") : page.rindex("<script>")]
    assert "<script" not in body
    assert "<img" not in body
    assert "onerror=alert(2)&gt;" in body
    assert "\u202e" not in page
    assert "<script" not in re.sub(r"`[^`]*`", "", markdown)
    assert "default-src 'none'" in unescape(page)
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)


def test_a_long_session_keeps_its_ends_and_what_somebody_points_at() -> None:
    quote = "the fertiliser shop is closed"
    long = "word " * 2_000 + quote + " word" * 2_000
    parts = [Part(place, Speaker.USER, long if place == 200 else f"message {place}") for place in range(400)]
    source = helpline_source(3)
    said = {"goal_completion": verdict("0", (200, quote, True))}
    rows = [judgement("s-000", expert, said) for expert in ("outcome", "dialogue")]
    scores = [score_row("s-000", 0, rows, PANEL)]
    page = render_html(
        helpline_report(
            run=source.run,
            scores=scores,
            judgements=rows,
            transcripts=lambda *_: Transcript(parts),
            agreement=source.agreement,
        )
    )

    assert f'<mark title="outcome on Goal reached: 0; dialogue on Goal reached: 0">{quote}</mark>' in page
    assert re.findall(r"\[… [\d,]+ characters left out …\]", page)
    assert "… 192 messages not shown …" in page
    assert len(page) < 300_000


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"weekly": None}, "These sessions have no times, so nothing can be said of when they were good."),
        (
            {"agreement": {"axes": [], "predicted": []}},
            "Nobody has shown yet that these marks are right",
        ),
        ({"transcripts": lambda *_: None}, "The content of this session is no longer stored."),
        (
            {"threshold": Threshold(value=0.5, failed=30, total=40)},
            "This run missed its failure threshold",
        ),
        ({"scores": [], "judgements": []}, "None of the 0 sessions has a mark."),
    ],
)
def test_what_is_not_known_is_said(changes: dict[str, Any], told: str) -> None:
    assert told in words_of(render_html(helpline_report(**changes)))


def test_a_judge_that_obeys_or_invents_is_named_before_everything_else() -> None:
    source = helpline_source()
    obeying = []
    for row in source.judgements:
        axes = orjson.loads(row["axes"])
        if row["variant"].startswith("canary:") and row["expert_id"] == "outcome":
            axes = {axis: verdict("100") for axis in axes}
        obeying.append({**row, "axes": orjson.dumps(axes).decode()})
    data = helpline_report(judgements=obeying)

    assert trust_sentence(data).kind == "bad"
    assert "outcome gave higher marks because of them" in trust_sentence(data).text
    assert "✗ obeyed" in render_html(data)


def test_a_judge_that_knows_no_more_than_length_is_not_relied_on() -> None:
    source = helpline_source()
    [outcomes, likes] = source.agreement["predicted"]
    weak = {**outcomes, "judges": [{**outcomes["judges"][0], "area": {**outcomes["judges"][0]["area"], "value": 0.5}}]}
    data = helpline_report(agreement={**source.agreement, "predicted": [weak, likes]})

    assert trust_sentence(data).text.startswith("They know no more than a session's length does. Of two sessions")


def test_what_the_judges_did_not_see_of_what_people_disliked_stands_first() -> None:
    data = helpline_report(transcripts=lambda session, _: transcript(int(session[2:]), answer="Call again later."))

    assert [one.seen for one in data.disliked] == sorted([one.seen for one in data.disliked], key=bool)
    assert data.disliked[0].text == "Call again later."


def test_everybody_who_can_speak_in_a_session_has_a_name() -> None:
    assert all(speaker_words(speaker) for speaker in Speaker)
