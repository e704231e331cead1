"""One transcript held against one reference: words and characters counted at a level, and what is odd about the text.

A reference is parsed before anything is normalised: alternatives are read one by one. Its forms are made once for all
models that heard the sample.
"""

from collections.abc import Collection
from enum import StrEnum
from functools import partial

from eval_pipeline.core.damaged_text import Damage, damage_of
from eval_pipeline.core.values import value
from eval_pipeline.stt_eval.language.alternatives import parse_reference
from eval_pipeline.stt_eval.language.answer_flags import loops, word_loops, wrong_script
from eval_pipeline.stt_eval.language.cleaning import Removed
from eval_pipeline.stt_eval.language.cleaning_times import holds_time_stamps
from eval_pipeline.stt_eval.language.cleaning_translations import holds_translation
from eval_pipeline.stt_eval.language.languages import unsegmented
from eval_pipeline.stt_eval.language.markers import without_markers
from eval_pipeline.stt_eval.language.normalisation import Level, characters, words
from eval_pipeline.stt_eval.language.refusals import is_refusal
from eval_pipeline.stt_eval.language.wrapping_left import holds_wrapping
from eval_pipeline.stt_eval.scoring.alignment import align, edit_counts
from eval_pipeline.stt_eval.scoring.edits import AlignedToken, EditCounts
from eval_pipeline.stt_eval.scoring.lattice import Lattice, build_lattice, tokens_of
from eval_pipeline.stt_eval.scoring.lattice_characters import character_lattice
from eval_pipeline.stt_eval.scoring.lattice_match import closest_path, lattice_edit_counts

HEADLINE = Level.STANDARD


class Flag(StrEnum):
    """What is odd about a transcript, whatever its score."""

    EMPTY = "empty"
    """The model heard nothing."""
    TRUNCATED = "truncated"
    """The provider cut the answer off."""
    LOOP = "loop"
    WRONG_SCRIPT = "wrong_script"
    REFUSAL = "refusal"
    DAMAGED = "damaged"
    """Holds question marks, U+FFFD or the like where letters were."""
    TIME_STAMPS = "time_stamps"
    """Still holds times of the recording."""
    THINKING = "thinking"
    """The model thought aloud; that was taken off."""
    TRANSLATION = "translation"
    """Some of it, in another script, may say the rest again."""
    WRAPPED = "wrapped"
    """Holds data, markup, labels or subtitles that are no words of it."""


@value
class HeardText:
    """A transcript as it is scored at one level."""

    words: tuple[str, ...]
    characters: str


@value
class ReferenceForm:
    """A reference as it is scored at one level; ``lattice`` and ``spelled`` only where it holds alternatives."""

    words: tuple[str, ...]
    """Along the shortest way, where there are several."""
    characters: str
    lattice: Lattice | None
    spelled: Lattice | None

    def count_words(self, heard: HeardText) -> EditCounts:
        """Count the edits of words."""
        return edit_counts(self.words, heard.words) if self.lattice is None else self._count(self.lattice, heard.words)

    def count_characters(self, heard: HeardText) -> EditCounts:
        """Count the edits of characters, which choose their own way through alternatives."""
        if self.spelled is None:
            return edit_counts(self.characters, heard.characters)
        return self._count(self.spelled, tuple(heard.characters))

    def align_words(self, heard: HeardText) -> tuple[AlignedToken, ...]:
        """Align the words along the way that is counted."""
        way = self.words if self.lattice is None else tokens_of(closest_path(self.lattice, heard.words))
        return align(way, heard.words)

    def align_characters(self, heard: HeardText) -> tuple[AlignedToken, ...]:
        """Align the characters along the way that is counted."""
        spelled = tuple(heard.characters)
        way = tuple(self.characters) if self.spelled is None else tokens_of(closest_path(self.spelled, spelled))
        return align(way, spelled)

    @staticmethod
    def _count(lattice: Lattice, heard: tuple[str, ...]) -> EditCounts:
        return lattice_edit_counts(lattice, heard)


def heard_text(transcript: str, level: Level, *, language: str | None) -> HeardText:
    """Normalise a transcript."""
    return HeardText(
        words=tuple(word.token for word in words(transcript, level, language=language)),
        characters="".join(characters(transcript, level, language=language)),
    )


def reference_form(reference: str, level: Level, *, language: str | None) -> ReferenceForm:
    """Normalise a reference, each of its alternatives by itself."""
    parsed = parse_reference(reference)
    if not parsed.has_alternatives and "@" not in reference:
        plain = heard_text(reference, level, language=language)
        return ReferenceForm(words=plain.words, characters=plain.characters, lattice=None, spelled=None)
    lattice = build_lattice(parsed, partial(words, level=level, language=language))
    spelled = character_lattice(lattice)
    if unsegmented(language):
        spelled = _without_spaces(spelled)
    shortest = tokens_of(closest_path(lattice, ()))
    return ReferenceForm(
        words=shortest,
        characters=("" if unsegmented(language) else " ").join(shortest),
        lattice=lattice,
        spelled=spelled,
    )


def _without_spaces(lattice: Lattice) -> Lattice:
    """Leave the spaces out that stand between words of a language that is written without any."""
    return Lattice(
        tuple(
            tuple(word for word in segment if not word.token.isspace())
            if isinstance(segment, tuple)
            else type(segment)(tuple(_without_spaces(option) for option in segment.options))
            for segment in lattice.segments
        )
    )


def flags_of(
    transcript: str | None,
    *,
    truncated: bool,
    heard: HeardText | None,
    language: str | None,
    removed: Collection[str] = (),
) -> list[str]:
    """Name what is odd about a transcript, by the text that is scored.

    Args:
        transcript: cleaned; None where there is none.
        truncated: whether the provider cut it off.
        heard: as it is scored at the headline level; None where there is no transcript.
        language: of the sample.
        removed: what cleaning took off, as ``Removed`` names it.
    """
    found = [Flag.TRUNCATED] if truncated else []
    if transcript is None or heard is None:
        return [str(flag) for flag in found]
    tokens = tuple(heard.characters) if unsegmented(language) else heard.words
    spoken = without_markers(transcript)
    told = {
        Flag.EMPTY: not heard.words,
        Flag.LOOP: loops(tokens) or word_loops(heard.words),
        Flag.WRONG_SCRIPT: language is not None and wrong_script(" ".join(heard.words), language),
        Flag.REFUSAL: is_refusal(spoken),
        Flag.DAMAGED: damage_of(spoken) not in {None, Damage.PLACEHOLDER, Damage.MAYBE_MEANT},
        Flag.TIME_STAMPS: holds_time_stamps(transcript),
        Flag.THINKING: Removed.THINKING in removed,
        Flag.TRANSLATION: holds_translation(transcript),
        Flag.WRAPPED: holds_wrapping(transcript),
    }
    return [str(flag) for flag in (*found, *(flag for flag, is_so in told.items() if is_so))]
