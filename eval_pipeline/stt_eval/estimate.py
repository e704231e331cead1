"""What a speech run would cost, before anything is paid: tokens estimated from durations, published prices."""

from datetime import UTC, datetime
from math import ceil

from eval_pipeline.core.cost import Costs, StageCost, Tariff, as_number, estimate_tokens
from eval_pipeline.core.counting import counted
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.runs.claims import Prepared
from eval_pipeline.stt_eval.clips.stored_manifest import AudioManifest, require_audio_manifest
from eval_pipeline.stt_eval.models import SpeechModel
from eval_pipeline.stt_eval.prompts import prompt_for
from eval_pipeline.stt_eval.rates import tariff_of
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.wiring.deployment import Deployment

AUDIO_TOKENS_A_SECOND = 32
"""What Gemini counts a second of audio as (ai.google.dev/gemini-api/docs/audio); OpenAI's models count fewer."""
SPOKEN_TOKENS_A_SECOND = 8
"""Of a transcript: fast speech in a script that takes several tokens a word."""


def estimate_run(prepared: Prepared[SttSpec], *, deployment: Deployment) -> JsonDict:
    """Return tokens and dollars per model, and what they assume."""
    spec = prepared.spec
    manifest = require_audio_manifest(deployment.objects, prepared.dataset)
    prompt_tokens = estimate_tokens(prompt_for(spec.prompt, language=spec.language or "und")) * spec.samples_count
    stages = {
        model.label: _cost(model, manifest, prompt_tokens=prompt_tokens, tariff=tariff_of(model, spec))
        for model in spec.models
    }
    costs = Costs.of(stages)
    return {
        "items": spec.total_items_count,
        "stages": {label: cost.to_json() for label, cost in stages.items()},
        "total_cost_usd": as_number(costs.cost_usd),
        "assumptions": [
            f"a second of audio is {AUDIO_TOKENS_A_SECOND} tokens, of transcript {SPOKEN_TOKENS_A_SECOND}",
            *([_unmeasured(manifest)] if manifest.unknown_durations else []),
            *(
                f"model {model} has no published price per token: its cost is unknown, not zero"
                for model in costs.unpriced_models
            ),
            "published prices, or own ones; batch rate where a model goes out in batches",
        ],
    }


def _unmeasured(manifest: AudioManifest) -> str:
    return f"{counted(manifest.unknown_durations, 'clip')} of unknown duration not included"


def _cost(model: SpeechModel, manifest: AudioManifest, *, prompt_tokens: int, tariff: Tariff) -> StageCost:
    audio = ceil(manifest.duration_s * AUDIO_TOKENS_A_SECOND)
    said = ceil(manifest.duration_s * SPOKEN_TOKENS_A_SECOND)
    usage = Usage(input=audio + prompt_tokens, audio_input=audio, output=said, total=audio + prompt_tokens + said)
    price = tariff.price(usage, at=datetime.now(UTC))
    return StageCost(model=model.label).plus(usage, price, model=model.label)
