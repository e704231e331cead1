"""The three levels at which transcripts are compared: ``verbatim``, ``standard``, ``lenient``.

Every level is idempotent and works on one written word at a time, so that each token knows how it was written, and a
word that was seen before costs one look-up. Values depend on the running Python only for characters that its Unicode
data do not know yet.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import cache, lru_cache, partial
from typing import assert_never

from eval_pipeline.core.spellings import LANGUAGES_WITH_OWN_LETTERS, letters_of_language, one_spelling
from eval_pipeline.stt_eval.language.languages import primary_subtag, unsegmented
from eval_pipeline.stt_eval.language.markers import split_at_markers
from eval_pipeline.stt_eval.language.normalisation_arabic import LANGUAGES_WRITING_THEIR_VOWELS, fold_vowel_marks
from eval_pipeline.stt_eval.language.normalisation_indic import fold_spellings
from eval_pipeline.stt_eval.language.normalisation_numbers import join_digit_groups
from eval_pipeline.stt_eval.language.normalisation_signs import SPACED_SIGNS
from eval_pipeline.stt_eval.language.normalisation_words import join_abbreviation, part_numbers
from eval_pipeline.stt_eval.language.words import Word

_REMEMBERED_WORDS = 1 << 16
_LONGEST_REMEMBERED_WORD = 64
"""Texts without spaces are one long word each, which never comes again."""
_DOTLESS_I_LANGUAGES = frozenset({"tr", "az"})
_SPECIAL_LANGUAGES = _DOTLESS_I_LANGUAGES | LANGUAGES_WITH_OWN_LETTERS | LANGUAGES_WRITING_THEIR_VOWELS
_DOTLESS_I_FOLDS = str.maketrans({"I": "\u0131", "\u0130": "i"})

Tokeniser = Callable[[str], tuple[str, ...]]
"""Returns the tokens of one written word."""


class Level(StrEnum):
    """How much two transcripts may differ and still be called equal."""

    VERBATIM = "verbatim"
    """As it was written: NFC, whitespace folded."""
    STANDARD = "standard"
    """The headline: case, punctuation, digits' script and markers do not count; letters and vowel signs do."""
    LENIENT = "lenient"
    """Standard, and spellings that are the same word in the scripts of India."""


NORMALISER_VERSIONS: Mapping[Level, str] = {
    Level.VERBATIM: "verbatim-1",
    Level.STANDARD: "standard-3",
    Level.LENIENT: "lenient-3",
}
"""Rises whenever a level gives another value for some text: scores of different versions are not comparable."""


def normalise(text: str, level: Level, *, language: str | None = None) -> str:
    """Return the form of a text that is compared at this level: tokens with one space between them.

    At ``standard``:
    - NFC, and one spelling of every sign: letters that were typed with a joiner, in parts, wide, as presentation forms
      or, in languages that have their own, with the Arabic letters that look alike; a colon within a word of an Indic
      script is its visarga. Then format characters (category Cf: joiners, direction marks, soft hyphens), tatweel and
      glyph selectors go; a zero width space is a space.
    - Full case folding; in Turkish and Azerbaijani I is the capital of the dotless letter.
    - Punctuation and symbols (P, S) become spaces, also apostrophes ("don't" is two tokens, whichever apostrophe it
      has) and the sign within a decimal number ("3.5" and "3,5" are both "3 5"). Per cent and currency signs stay, as
      tokens of their own, in the order of writing. Marks (M) are letters of their words and are never touched.
    - Digits of every script become ASCII, small ones too; real digit groups lose their commas.
    - Known markers (``<unk>``, ``[noise]``, ``(हँसी)``) go; other brackets lose only themselves.

    ``lenient`` adds the folds of ``fold_spellings``, leaves out vowel marks of Arabic letters, joins dotted
    abbreviations and parts numbers from what is written on to them.
    """
    tokens_of = _tokeniser(level, language=_special_language(language))
    return " ".join([token for _, tokens in _written_words(text, level, tokens_of) for token in tokens])


def words(text: str, level: Level, *, language: str | None = None) -> tuple[Word, ...]:
    """Return the tokens that are scored, each with the written word that it came from.

    The tokens joined with spaces are ``normalise``. The surfaces that are not empty, joined with spaces, are the whole
    text with its whitespace folded and its markers set apart: what has no token (a danda, a marker) stands with the
    word before it, else with the first. Only a text without any token has no surfaces either.
    """
    tokens: list[str] = []
    surfaces: list[list[str]] = [[]]
    tokens_of = _tokeniser(level, language=_special_language(language))
    for written, its_tokens in _written_words(text, level, tokens_of):
        if tokens and its_tokens:
            surfaces.append([])
        surfaces[-1].append(written)
        tokens += its_tokens
        surfaces += [[] for _ in its_tokens[1:]]
    return tuple([Word(token, " ".join(parts)) for token, parts in zip(tokens, surfaces, strict=False)])


def characters(text: str, level: Level, *, language: str | None) -> tuple[str, ...]:
    """Return what the character error rate counts: the code points of the normalised text.

    A space is a character, as in jiwer, except in languages that are written without spaces: there one model's spaces
    are as good as another's.
    """
    normalised = normalise(text, level, language=language)
    return tuple(normalised.replace(" ", "") if unsegmented(language) else normalised)


def _written_words(text: str, level: Level, tokens_of: Tokeniser) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Give each written word with its tokens, each marker with none."""
    parts = [text] if level is Level.VERBATIM else split_at_markers(text)
    for position, part in enumerate(parts):
        if position % 2:
            yield " ".join(part.split()), ()
        else:
            for written in part.split():
                yield written, tokens_of(written)


@cache
def _tokeniser(level: Level, *, language: str | None) -> Tokeniser:
    """Return the tokeniser of a level, one for the whole process and each language that matters: it remembers words."""
    form = partial(_form, level=level, language=language)
    remembered = lru_cache(maxsize=_REMEMBERED_WORDS)(lambda written: tuple(form(written).split()))

    def tokens_of(written: str) -> tuple[str, ...]:
        return remembered(written) if len(written) <= _LONGEST_REMEMBERED_WORD else tuple(form(written).split())

    return tokens_of


def _form(written: str, *, level: Level, language: str | None) -> str:
    match level:
        case Level.VERBATIM:
            return unicodedata.normalize("NFC", written)
        case Level.STANDARD:
            return _standard_form(written, language=language)
        case Level.LENIENT:
            standard = _standard_form(join_abbreviation(unicodedata.normalize("NFC", written)), language=language)
            folded = fold_spellings(fold_vowel_marks(standard, language=language))
            return fold_spellings(part_numbers(folded))  # again: parts have ends of words of their own
        case _:
            assert_never(level)


def _standard_form(written: str, *, language: str | None) -> str:
    """Return the standard form of one word; NFC again after each step that can part or join what NFC composes."""
    own = letters_of_language(one_spelling(written), language=language)
    cased = own.translate(_DOTLESS_I_FOLDS) if language in _DOTLESS_I_LANGUAGES else own
    folded = unicodedata.normalize("NFC", cased.casefold())
    return join_digit_groups(folded).translate(SPACED_SIGNS)


def _special_language(language: str | None) -> str | None:
    """Return the primary subtag of a language whose letters have folds of their own."""
    primary = None if language is None else primary_subtag(language)
    return primary if primary in _SPECIAL_LANGUAGES else None
