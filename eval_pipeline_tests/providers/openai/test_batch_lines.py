"""Request lines of OpenAI's batches."""

import orjson

from eval_pipeline.providers.openai.batch_lines import OpenAILines

TEMPLATE = OpenAILines(endpoint="/v1/responses", body={"model": "gpt-4o-mini", "instructions": "Be “brief”."})


def test_a_line_is_the_request_of_one_item() -> None:
    line = TEMPLATE.line("q1", "How high\u2028is it?")

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert orjson.loads(line) == {
        "custom_id": "q1",
        "method": "POST",
        "url": "/v1/responses",
        "body": {"model": "gpt-4o-mini", "instructions": "Be “brief”.", "input": "How high\u2028is it?"},
    }


def test_half_a_surrogate_pair_goes_out_as_an_escape() -> None:
    assert rb'"input":"cut \ud83d"' in TEMPLATE.line("q1", "cut \ud83d")
