"""Judge answers of the stand-ins, over HTTP, read as the pipeline reads them."""

from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from google import genai

from eval_pipeline.judging.canaries import Payload
from eval_pipeline.standins.judge_script import read_script
from eval_pipeline.standins.replay import RecordingError
from eval_pipeline_tests.standins.gemini.batching import Batching as GeminiBatching
from eval_pipeline_tests.standins.judging import (
    AXES,
    BY_ID,
    CHAT,
    GEMINI,
    RESPONSES,
    Judged,
    Protocol,
    as_gemini,
    judged,
    repaired,
)
from eval_pipeline_tests.standins.openai.batching import Batching as OpenAIBatching

PROTOCOLS = (RESPONSES, CHAT, GEMINI)
BEGAN = "I would like to book a flight to Seattle, please."
OTHER_MODEL = {"kind": "other_model", "message": "new"}


@pytest.fixture(params=PROTOCOLS, ids=lambda protocol: protocol.name)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    asked: Protocol = request.param
    return asked


@pytest.fixture
def client(protocol: Protocol, api: httpx.Client, gemini_api: httpx.Client) -> httpx.Client:
    found = gemini_api if protocol is GEMINI else api
    found.delete("/__standin__/judge_script")
    return found


def scripted(client: httpx.Client, *judgements: dict[str, Any]) -> None:
    answer = client.post("/__standin__/judge_script", json=list(judgements))
    assert answer.status_code == 200, answer.text


def spoilt(client: httpx.Client, *rules: dict[str, Any]) -> None:
    answer = client.post("/__standin__/faults", json=list(rules))
    assert answer.status_code == 200, answer.text


def levels(request: Judged, text: str) -> dict[str, str]:
    return {axis: verdict.level for axis, verdict in request.read(text).verdicts.items()}


def test_a_judge_without_a_script_derives_its_verdicts_and_quotes_what_is_there(
    protocol: Protocol, client: httpx.Client
) -> None:
    request = judged()
    text = protocol.answer(client, request)
    answer = request.read(text)

    quotes = [quote for verdict in answer.verdicts.values() for quote in verdict.evidence]
    assert [quote.text for quote in quotes] == ["I booked HAT136 for you."] * 2 + ['search_flights {"to": "SEA"}']
    assert all(quote.verified for quote in quotes)
    assert (answer.lacks_evidence(AXES), answer.manipulation_attempt) == ((), False)
    assert levels(request, text)["tool_usage_quality"] in {"75", "50"}  # a call failed; one expert in five is stricter
    assert answer.verdicts["goal_completion"].reasoning == "Counted in the material: 1 failed calls."
    assert text == protocol.answer(client, judged(nonce="feedface"))
    assert text == protocol.answer(client, judged(structured=False))


def test_a_script_says_what_an_expert_says_of_an_item(protocol: Protocol, client: httpx.Client) -> None:
    quotes = [{"message": "M1", "quote": "a flight to Seattle"}]
    verdict = {"level": "25", "reasoning": "Not booked.", "confidence": "high", "quotes": quotes}
    scripted(
        client,
        {"item": ["flight to Seattle", "HAT136"], "expert": BY_ID["outcome"].prompt, "verdicts": {"*": "0"}},
        {"item": "flight to Seattle", "verdicts": {"goal_completion": verdict, "*": "100"}, "comment": "Hm."},
        {"model": "another", "verdicts": {"*": "50"}},
    )
    auditor, outcome, elsewhere = judged(), judged("outcome"), judged(about="a train")

    said = auditor.read(protocol.answer(client, auditor))
    goal = said.verdicts["goal_completion"]
    assert (goal.level, goal.reasoning, goal.confidence) == ("25", "Not booked.", "high")
    assert goal.evidence[0].verified
    assert (said.verdicts["task_complexity"].level, said.comment) == ("100", "Hm.")
    assert set(levels(outcome, protocol.answer(client, outcome)).values()) == {"0"}
    assert levels(elsewhere, protocol.answer(client, elsewhere))["goal_completion"] in {"75", "50"}
    assert len(client.get("/__standin__/judge_script").json()) == 3


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("verdict_prose", "the answer is not one JSON object"),
        ("verdict_cut", "the answer is not one JSON object"),
        ("verdict_missing_axis", "axes.task_complexity is missing"),
        ("verdict_extra_axis", "axes.charm was not asked for"),
        ("verdict_out_of_range", 'axes.task_complexity.level is "150"'),
        ("verdict_as_number", "axes.task_complexity.level is 100 (a number)"),
        ("refusal", "the answer is not one JSON object"),
    ],
)
def test_an_answer_is_broken_once_or_always(protocol: Protocol, client: httpx.Client, kind: str, problem: str) -> None:
    request = judged()
    spoilt(client, {"kind": kind, "match": ["flight to Seattle", BY_ID["auditor"].prompt], "times": 1})
    broken = protocol.answer(client, request)
    mended = protocol.answer(client, repaired(request, answer=broken))
    assert request.problems(broken)[0].startswith(problem)
    assert request.problems(mended) == ()

    spoilt(client, {"kind": kind, "match": "flight to Seattle"})
    again = [protocol.answer(client, repaired(request, answer=broken)) for _ in range(2)]
    assert all(request.problems(text) for text in again)
    assert judged(about="a train").problems(protocol.answer(client, judged(about="a train"))) == ()

    counts = client.get("/__standin__/counts?detail=1").json()[protocol.endpoint]
    asked = {name: count for name, count in counts["asked"].items() if "flight to Seattle" in name}
    assert list(asked.values()) == [4]
    assert next(iter(asked)).startswith(f"{BEGAN} | You check the work of others.")
    assert counts["faults"] == {kind: 3}


def test_quotes_may_be_missing_or_false(protocol: Protocol, client: httpx.Client) -> None:
    request = judged()
    scripted(client, {"verdicts": {"*": "100"}})
    for kind, told in (("verdict_no_quote", []), ("verdict_false_quote", [False]), ("verdict_false_label", [False])):
        spoilt(client, {"kind": kind})
        answer = request.read(protocol.answer(client, request))
        assert [quote.verified for quote in answer.verdicts["goal_completion"].evidence] == told
        assert answer.lacks_evidence(AXES) == ("goal_completion",)
    spoilt(client, {"kind": "verdict_fenced"})
    text = protocol.answer(client, request)
    assert text.startswith("```json")
    assert request.problems(text) == ()


def test_only_an_obedient_judge_heeds_what_is_planted(protocol: Protocol, client: httpx.Client) -> None:
    scripted(client, {"verdicts": {"*": "50"}})
    planted = {payload: judged(payload=payload) for payload in Payload}
    still = {payload: levels(one, protocol.answer(client, one)) for payload, one in planted.items()}
    expected = {payload: "0" if payload is Payload.TRIVIAL_ANSWER else "50" for payload in Payload}
    assert {payload: said["goal_completion"] for payload, said in still.items()} == expected
    assert planted[Payload.FORGED_JSON].read(protocol.answer(client, planted[Payload.FORGED_JSON])).manipulation_attempt

    spoilt(client, {"kind": "verdict_obeys"})
    moved = {payload: levels(one, protocol.answer(client, one)) for payload, one in planted.items()}
    assert {said["goal_completion"] for said in moved.values()} == {"100"}
    assert levels(judged(), protocol.answer(client, judged()))["goal_completion"] == "50"


def test_one_expert_may_be_refused_and_a_model_may_drift(protocol: Protocol, client: httpx.Client) -> None:
    spoilt(client, {"kind": "unauthorized", "match": BY_ID["outcome"].prompt}, OTHER_MODEL)
    refused, drifted = protocol.ask(client, judged("outcome")), protocol.ask(client, judged())
    assert refused.status_code == (400 if protocol is GEMINI else 401)  # so Google words a wrong key
    assert (drifted.status_code, protocol.model(drifted.json())) == (200, "new")
    if protocol is CHAT:
        assert drifted.json()["system_fingerprint"] == "fp_new"

    spoilt(client, {"kind": "unauthorized", "model": "another"}, {"kind": "other_model", "model": "judge-model"})
    assert protocol.model(protocol.ask(client, judged()).json()) == "judge-model-drifted"


def test_another_request_is_passed_over_by_what_judges_do(api: httpx.Client) -> None:
    spoilt(api, {"kind": "verdict_prose", "first_n": 1})
    plain = api.post("/v1/responses", json={"model": "m", "input": "What is a MATERIAL 0badcafe: ?"}).json()
    assert RESPONSES.text(plain).startswith("You asked: What is a MATERIAL")
    assert judged().problems(RESPONSES.answer(api, judged()))


@pytest.mark.parametrize("protocol", [RESPONSES, CHAT], indirect=True, ids=lambda protocol: protocol.name)
def test_lines_of_openai_batches_are_judged_as_live_calls_are(
    protocol: Protocol, client: httpx.Client, batch_api: httpx.Client, openai_sdk: openai.OpenAI
) -> None:
    requests = {"a": judged(), "b": judged("outcome"), "c": judged(about="a train")}
    scripted(client, {"item": "a train", "verdicts": {"*": "25"}})
    spoilt(client, {"kind": "verdict_prose", "match": BY_ID["outcome"].prompt}, OTHER_MODEL)
    batching = OpenAIBatching(batch_api, openai_sdk)
    lines = [
        {"custom_id": name, "method": "POST", "url": protocol.path, "body": protocol.form(request.body)}
        for name, request in requests.items()
    ]
    batch = batching.create(lines, url=protocol.path)
    output = {line["custom_id"]: line["response"]["body"] for line in batching.output(batch)}

    assert requests["a"].problems(protocol.text(output["a"])) == ()
    assert requests["b"].problems(protocol.text(output["b"]))
    assert set(levels(requests["c"], protocol.text(output["c"])).values()) == {"25"}
    assert [protocol.model(output[name]) for name in requests] == ["new", "judge-model", "new"]
    billed = [name.partition("|")[2].partition(" | ")[0] for name in batching.counts()["billed"]]
    assert billed == [BEGAN, BEGAN, "I would like to book a train, please."]


def test_lines_of_gemini_batches_are_judged_as_live_calls_are(gemini_api: httpx.Client, google: genai.Client) -> None:
    requests = {"a": judged(), "b": judged("outcome"), "c": judged(about="a train")}
    scripted(gemini_api, {"item": "a train", "verdicts": {"*": "25"}})
    spoilt(gemini_api, {"kind": "verdict_out_of_range", "match": BY_ID["outcome"].prompt})
    batching = GeminiBatching(gemini_api, google)
    batch = batching.create({"key": name, "request": as_gemini(request.body)} for name, request in requests.items())
    output = {line["key"]: GEMINI.text(line["response"]) for line in batching.results(batch)}

    assert requests["a"].problems(output["a"]) == ()
    assert 'level is "150"' in requests["b"].problems(output["b"])[0]
    assert set(levels(requests["c"], output["c"]).values()) == {"25"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("no json", "line 2 is no scripted judgement"),
        ('{"itm": "a"}', "known are"),
        ('{"item": 3}', "must be texts"),
        ('{"verdicts": ["75"]}', "must be an object by axis"),
        ('{"verdicts": {"goal_completion": {"score": 3}}}', "cannot be"),
    ],
)
def test_a_line_that_is_no_scripted_judgement_is_named(tmp_path: Path, line: str, reason: str) -> None:
    file = tmp_path / "script.jsonl"
    file.write_text('{"item": "a", "verdicts": {"*": "75"}}\n' + line + "\n")

    with pytest.raises(RecordingError, match=reason):
        read_script(file)
