"""What the calls of a model of a speech run cost: some models have no batches, and are asked live in every mode."""

from eval_pipeline.core.cost import Tariff
from eval_pipeline.core.runs import RunMode
from eval_pipeline.stt_eval.models import SpeechModel
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.wiring import models


def batch_endpoint(spec: SttSpec) -> str | None:
    """Name the endpoint whose batches the run uses: the first one that takes clips; the others are asked live."""
    taking = (
        model.endpoint
        for model in spec.models
        if models.speech_mode(spec.endpoint_of(model), mode=spec.mode) is RunMode.BATCH
    )
    return next(taking, None)


def mode_of(model: SpeechModel, spec: SttSpec) -> RunMode:
    """Return how a model of the run is asked."""
    return RunMode.BATCH if model.endpoint == batch_endpoint(spec) else RunMode.FAST


def tariff_of(model: SpeechModel, spec: SttSpec) -> Tariff:
    """Return the prices that a model's calls fall under."""
    return models.tariff(spec.endpoint_of(model), model.name, mode=mode_of(model, spec))


def rate_of(model: SpeechModel, spec: SttSpec) -> str:
    """Name the rate of a model's calls."""
    return models.rate(spec.endpoint_of(model), model.name, mode=mode_of(model, spec))
