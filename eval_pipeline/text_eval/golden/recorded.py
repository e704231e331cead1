"""An answer that exists already, with what was recorded beside it; the same in a golden file and in one of answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.outcomes import MOST_TOKENS, Usage
from eval_pipeline.text_eval.golden.cells import count_in, number_in, text_of

MODEL_ANSWER: Final = "model_answer"
TOKENS: Final = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens", "total_tokens")
BESIDE: Final = ("model", "latency_s", *TOKENS, "response_id", "thinking")
"""What may be recorded beside an answer."""


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """What a model said at another time; ``answer`` is empty where it said nothing."""

    answer: str
    model: str | None = None
    latency_s: float | None = None
    usage: Usage | None = None
    response_id: str | None = None
    thinking: str | None = None

    def to_json(self) -> JsonDict:
        """Return the form that a stored dataset keeps."""
        usage = self.usage
        told = {
            "answer": self.answer,
            "model": self.model,
            "latency_s": self.latency_s,
            "usage": usage
            and {
                "input": usage.input,
                "cached_input": usage.cached_input,
                "output": usage.output,
                "reasoning": usage.reasoning,
                "total": usage.total,
            },
            "response_id": self.response_id,
            "thinking": self.thinking,
        }
        return {name: value for name, value in told.items() if value is not None}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        """Read that form back."""
        usage = value.get("usage")
        return cls(**{**value, "usage": None if usage is None else Usage(**usage)})


def recorded_answer(
    answer: str | None, fields: Mapping[str, object], *, named: Callable[[str], str] = str
) -> RecordedAnswer | None:
    """Read what stands beside an answer; None where there is no answer.

    Args:
        answer: as it was recorded; None: it was not.
        fields: of the row.
        named: how the file calls a field.
    """
    if answer is None:
        return None

    def cell(name: str) -> object:
        return fields.get(named(name))

    return RecordedAnswer(
        answer=answer,
        model=text_of(cell("model"), "model").strip() or None,
        latency_s=number_in(cell("latency_s"), "latency_s"),
        usage=_usage({name: count_in(cell(name), name, most=MOST_TOKENS) for name in TOKENS}),
        response_id=text_of(cell("response_id"), "response_id").strip() or None,
        thinking=text_of(cell("thinking"), "thinking").strip() or None,
    )


def _usage(counts: Mapping[str, int | None]) -> Usage | None:
    """Return the tokens as far as they were recorded; None where none were."""
    if all(count is None for count in counts.values()):
        return None
    known = {name: count or 0 for name, count in counts.items()}
    return Usage(
        input=known["input_tokens"],
        cached_input=known["cached_input_tokens"],
        output=known["output_tokens"],
        reasoning=known["reasoning_tokens"],
        total=known["total_tokens"] or known["input_tokens"] + known["output_tokens"],
    )
