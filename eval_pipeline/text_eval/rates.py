"""What the calls of a text run cost, and how its embeddings are asked for: live where their endpoint has no batches."""

from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.runs import RunMode
from eval_pipeline.text_eval.spec import TextSpec
from eval_pipeline.wiring import models


def embedding_mode(spec: TextSpec) -> RunMode:
    """Return how the run's texts are embedded."""
    return models.vector_mode(spec.embeds_at, mode=spec.mode)


def answer_tariff(spec: TextSpec) -> Tariff:
    """Return the prices that its answers fall under."""
    return models.tariff(spec.answers_at, spec.model, mode=spec.mode)


def embedding_tariff(spec: TextSpec) -> Tariff:
    """Return the prices that its embeddings fall under."""
    return models.tariff(spec.embeds_at, spec.embedding_model, mode=embedding_mode(spec))
