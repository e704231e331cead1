"""Plants errors into a reference such that every aligner must count exactly these.

A clip gets substitutions and, besides, either deletions or insertions, never both. Substituted and inserted words
occur nowhere in the reference. So with deletions every alignment has at least (reference words - hits) edits, with
insertions at least (transcript words - hits), hits are at most the words that were left alone, and both bounds are
met by the planted alignment alone: minimum edits and their kinds are unique.

Only plain words are touched, letters with at most closing punctuation, so that the counts are the same whether or
not a normaliser removes punctuation, markers and digit grouping. Draws are by hash of clip, model and place.
"""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b

_CLOSING = ".,;:!?।॥،؟…"
_LETTERS = {
    "LATIN": "bdfgjklpqvxz",
    "DEVANAGARI": "घझठढफछभखथध",
    "BENGALI": "ঘঝঠঢফছভখথধ",
    "GURMUKHI": "ਘਝਠਢਫਛਭਖਥਧ",
    "GUJARATI": "ઘઝઠઢફછભખથધ",
    "ORIYA": "ଘଝଠଢଫଛଭଖଥଧ",
    "TAMIL": "கசடதபறலவழள",
    "TELUGU": "ఘఝఠఢఫఛభఖథధ",
    "KANNADA": "ಘಝಠಢಫಛಭಖಥಧ",
    "MALAYALAM": "ഘഝഠഢഫഛഭഖഥധ",
    "ARABIC": "بتثجخدذرزس",
}
_WORD_LETTERS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRates:
    """How often a model errs.

    Args:
        substitutions: Share of all plain words.
        deletions: Share of the plain words of the clips that lose words, which is half of them.
        insertions: The same, of the other half.
        on_silence: Share of the silent clips in which three words are heard.
    """

    substitutions: float = 0.06
    deletions: float = 0.03
    insertions: float = 0.03
    on_silence: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A transcript and the errors in it; ``words`` are those of the reference, by white space."""

    transcript: str
    words: int
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    @property
    def edits(self) -> int:
        """All errors."""
        return self.substitutions + self.deletions + self.insertions


class _Draw:
    """What one model does to one clip; the same at every call."""

    def __init__(self, clip: str, model: str, reference: str) -> None:
        self._seed = f"{clip}\0{model}"
        self._taken = {_same(word) for word in reference.split()}
        self._letters = _LETTERS.get(script_of(reference), _LETTERS["LATIN"])

    def number(self, name: str) -> int:
        """Return a number below 2**64."""
        return int.from_bytes(blake2b(f"{self._seed}\0{name}".encode(), digest_size=8).digest())

    def hits(self, name: str, rate: float) -> bool:
        """Tell whether something that happens at a rate happens here."""
        return self.number(name) < rate * 2**64

    def word(self, name: str) -> str:
        """Return a word that occurs neither in the reference nor twice."""
        turn = 0
        while (word := self._spell(self.number(f"{name}\0{turn}"))) in self._taken:
            turn += 1
        self._taken.add(word)
        return word

    def _spell(self, number: int) -> str:
        letters = []
        for _ in range(_WORD_LETTERS):
            number, place = divmod(number, len(self._letters))
            letters.append(self._letters[place])
        return "".join(letters)


def plant(reference: str, *, clip: str, model: str, rates: ErrorRates) -> Planted:
    """Return what a model hears in a clip of which this is the reference."""
    words = first_alternatives(reference)
    draw = _Draw(clip, model, " ".join(words))
    if not words:
        heard = [draw.word(f"silence {turn}") for turn in range(3)] if draw.hits("silence", rates.on_silence) else []
        return Planted(transcript=" ".join(heard), words=0, insertions=len(heard))
    deletes = bool(draw.number("kind") % 2)
    said: list[str] = []
    counts = Counter[str]()
    for place, word in enumerate(words):
        change = _change(draw, place, words=words, rates=rates, deletes=deletes)
        counts[change] += 1
        said += _heard(draw, place, word=word, change=change)
    return Planted(
        transcript=" ".join(said),
        words=len(words),
        substitutions=counts["substitution"],
        deletions=counts["deletion"],
        insertions=counts["insertion"],
    )


def _change(draw: _Draw, place: int, *, words: list[str], rates: ErrorRates, deletes: bool) -> str:
    if not is_plain(words[place]):
        return ""
    if draw.hits(f"substitution {place}", rates.substitutions):
        return "substitution"
    if deletes:
        return "deletion" if len(words) > 1 and draw.hits(f"deletion {place}", rates.deletions) else ""
    between_words = place + 1 == len(words) or is_plain(words[place + 1])
    return "insertion" if between_words and draw.hits(f"insertion {place}", rates.insertions) else ""


def _heard(draw: _Draw, place: int, *, word: str, change: str) -> list[str]:
    match change:
        case "substitution":
            return [draw.word(f"word {place}")]
        case "deletion":
            return []
        case "insertion":
            return [word, draw.word(f"word {place}")]
    return [word]


def first_alternatives(reference: str) -> list[str]:
    """Return the words of a reference, of ``{ one / another }`` the first that is not ``@``."""
    words: list[str] = []
    group: list[str] | None = None
    for word in reference.split():
        if word == "{":
            group = []
        elif word == "}" and group is not None:
            words += _first(group)
            group = None
        elif group is not None:
            group.append(word)
        else:
            words.append(word)
    return words + (group or [])


def _first(group: list[str]) -> list[str]:
    choices = [choice.split() for choice in " ".join(group).split(" / ")]
    return next((choice for choice in choices if choice and choice != ["@"]), [])


def is_plain(word: str) -> bool:
    """Tell whether a word is letters, with at most punctuation that closes a phrase."""
    letters = word.rstrip(_CLOSING)
    return bool(letters) and all(unicodedata.category(letter)[0] in "LM" for letter in letters)


def script_of(text: str) -> str:
    """Return the script of most letters of a text, such as DEVANAGARI."""
    scripts = Counter(unicodedata.name(letter, "?").split()[0] for letter in text if letter.isalpha())
    return scripts.most_common(1)[0][0] if scripts else "LATIN"


def _same(word: str) -> str:
    return unicodedata.normalize("NFC", word).casefold().strip(_CLOSING)
