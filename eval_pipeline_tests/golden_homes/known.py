"""What the providers of every golden home know: the same when it is made and when it is opened."""

from collections.abc import Mapping
from hashlib import sha256

from eval_pipeline.standins.replay import Recordings
from eval_pipeline.standins.speech import SpokenClip
from eval_pipeline_tests.standins.speaking import REFERENCES, clip

MODEL = "gpt-4o-mini"
ANSWERS = {
    "What is the capital of France?": ("Paris", "The capital of France is Paris."),
    "How many days has a leap year?": ("366", "A leap year has 366 days."),
    "भारत की राजधानी क्या है?": ("नई दिल्ली", "नई दिल्ली"),
    "Which gas do plants take in?": ("carbon dioxide", "Plants take in oxygen."),
    "What is 12 times 12?": ("144", "144"),
}
CLIPS = [clip(number, seconds=0.05) for number in range(len(REFERENCES))]


def known_answers() -> Recordings:
    """Return what the model answers."""
    return Recordings({(MODEL, question): answer for question, (_, answer) in ANSWERS.items()})


def known_speech() -> Mapping[str, SpokenClip]:
    """Return what is said in the clips."""
    return {sha256(data).hexdigest(): _known(data, number) for number, data in enumerate(CLIPS)}


def _known(data: bytes, number: int) -> SpokenClip:
    language = "hi" if number == 1 else "en"
    return SpokenClip(sha256=sha256(data).hexdigest(), reference=REFERENCES[number], language=language, duration_s=1.0)
