"""Clips for tests: real wav files with nothing but a tone of their own, and references for them."""

import io
import math
import struct
import wave
from hashlib import sha256

from eval_pipeline.standins.speech import SpokenClip

RATE_HZ = 8000
REFERENCES = (
    "the quick brown fox jumps over the lazy dog near the river bank.",
    "मैं आज सुबह बाज़ार गया और वहाँ से सब्जी लाया।",
    "",
    "she sells { sea shells / seashells } by the shore , and the shells she sells are surely shells",
)


def clip(number: int, *, seconds: float = 0.5) -> bytes:
    """Return a wav file that differs from those of other numbers."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        samples = range(int(RATE_HZ * seconds))
        tone = (round(9000 * math.sin(place * (number + 2) / 20)) for place in samples)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in tone))
    return held.getvalue()


CLIPS = [clip(number) for number in range(len(REFERENCES))]
NAMES = [sha256(data).hexdigest() for data in CLIPS]
RECORDED_CLIPS = {
    name: SpokenClip(sha256=name, reference=reference, language="hi" if number == 1 else "en")
    for number, (name, reference) in enumerate(zip(NAMES, REFERENCES, strict=True))
}
