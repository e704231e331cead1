"""What a search in files finds for a question: none to three passages, the same at every call."""

from dataclasses import dataclass
from hashlib import blake2b

WORDS_QUOTED = 12


@dataclass(frozen=True, slots=True)
class Found:
    """A passage of a file that nobody has."""

    file: str
    score: float
    text: str

    def scored_text(self) -> dict[str, float | str]:
        """Return score and text under the names that providers use."""
        return {"score": self.score, "text": self.text}


def passages(question: str) -> list[Found]:
    """Return what is found; nothing for one question in four."""
    count = int.from_bytes(blake2b(question.encode(), digest_size=2).digest()) % 4
    about = " ".join(question.split()[:WORDS_QUOTED])
    return [
        Found(f"guide-{number}.md", round(0.9 - 0.2 * number, 2), f"Passage {number} about: {about}")
        for number in range(1, count + 1)
    ]
