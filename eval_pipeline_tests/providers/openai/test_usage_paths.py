"""The quick way to read an ordinary token report says what the careful one says."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eval_pipeline.providers.openai.usage import read_usage

NUMBERS = st.integers(-1, 40) | st.none() | st.booleans()


@given(given_input=NUMBERS, cached=NUMBERS, output=NUMBERS, reasoning=NUMBERS, total=NUMBERS)
def test_both_ways_agree(given_input: Any, cached: Any, output: Any, reasoning: Any, total: Any) -> None:  # noqa: ANN401
    report = {
        "input_tokens": given_input,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": total,
    }
    chat = {
        "prompt_tokens": given_input,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens": output,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": total,
    }

    assert read_usage(report) == read_usage(chat)
