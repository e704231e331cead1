"""What was said beside what was heard, as people wrote it, marked by colour and by signs in the text.

Drawn from the tokens that are scored. In languages written without spaces they are letters with the marks on them, of
which CER counts each.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Final, assert_never

from markupsafe import Markup

from eval_pipeline.reporting.markup import lang_attribute
from eval_pipeline.reporting.text import script_tag, visible
from eval_pipeline.stt_eval.language.alternatives import parse_reference
from eval_pipeline.stt_eval.language.answer_flags import wrong_script
from eval_pipeline.stt_eval.language.languages import Direction, direction, unsegmented
from eval_pipeline.stt_eval.language.normalisation import characters, words
from eval_pipeline.stt_eval.language.words import Word
from eval_pipeline.stt_eval.report.diff_parts import with_parts
from eval_pipeline.stt_eval.scoring.edits import Edit
from eval_pipeline.stt_eval.scoring.lattice import build_lattice
from eval_pipeline.stt_eval.scoring.scoring import HEADLINE
from eval_pipeline.stt_eval.scoring.word_diff import DiffToken, word_diff

SHOWN_TOKENS: Final = 2_000
"""Of one diff: a model that loops writes tens of thousands of words."""
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})


def diff_html(reference: str, transcript: str, *, language: str | None) -> Markup:
    """Draw the diff of a transcript and its reference, which may hold alternatives."""
    tokenize = partial(_tokens, language=language)
    tokens = word_diff(build_lattice(parse_reference(reference), tokenize), tokenize(transcript))
    if not unsegmented(language):
        tokens = with_parts(tokens, language=language)
    shown, left = tokens[:SHOWN_TOKENS], len(tokens) - SHOWN_TOKENS
    text = transcript if transcript.strip() else reference
    way = text_direction(text, language=language)
    between = "" if unsegmented(language) else " "
    parts = list(_parts(shown, between=between, arrow="\u2190" if way == "rtl" else "\u2192"))
    if left > 0:
        parts.append(Markup('<span class="nothing" lang="en">… {} more, in report.csv</span>').format(f"{left:,}"))
    return Markup('<p class="diff" dir="{}"{}>{}</p>').format(
        way, lang_attribute(text_language(text, language=language)), (Markup(" ") if between else Markup()).join(parts)
    )


def text_direction(text: str, *, language: str | None) -> Direction:
    """Return how a text runs: as its first letter does, for a model may write another script than it was asked for."""
    for character in text:
        strong = unicodedata.bidirectional(character)
        if strong in _RIGHT_TO_LEFT:
            return "rtl"
        if strong == "L":
            return "ltr"
    return "auto" if language is None else direction(language)


def text_language(text: str, *, language: str | None) -> str | None:
    """Return the language of a text, or of its script alone where that is not one of the language."""
    if language is None or wrong_script(text, language):
        return script_tag(text)
    return language


def _tokens(text: str, *, language: str | None) -> tuple[Word, ...]:
    found = words(text, HEADLINE, language=language)
    if not found and text.strip():
        return (Word("", text.strip()),)
    if not unsegmented(language):
        return found
    return tuple(piece for written in _written(found) for piece in _spelled(written, language=language))


def _written(found: Sequence[Word]) -> Iterator[Word]:
    """Join the tokens of one written word, of which the first carries the surface."""
    token = surface = ""
    for word in found:
        if word.surface and (token or surface):
            yield Word(token, surface)
            token = surface = ""
        token, surface = token + word.token, surface or word.surface
    if token or surface:
        yield Word(token, surface)


def _spelled(word: Word, *, language: str | None) -> Iterator[Word]:
    """Part a word into its letters; where those are scored otherwise than the word, it keeps its surface as a whole."""
    clusters = list(_clusters(word.surface))
    tokens = ["".join(characters(cluster, HEADLINE, language=language)) for cluster in clusters]
    if "".join(tokens) == word.token:
        yield from map(Word, tokens, clusters)
        return
    for place, character in enumerate(word.token or [""]):
        yield Word(character, word.surface if place == 0 else "")


def _clusters(surface: str) -> Iterator[str]:
    """Yield letters with the marks that stand on them."""
    cluster = ""
    for character in surface:
        if cluster and unicodedata.category(character)[0] != "M":
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


def _parts(tokens: Sequence[DiffToken], *, between: str, arrow: str) -> Iterator[Markup]:
    """Draw run by run; replaced words one by one, so that each stands beside what it became."""
    for (edit, _), run in groupby(enumerate(tokens), key=partial(_run, joined=not between)):
        ours = [token for _, token in run]
        said = _joined((token.reference_surface or _left(token, edit) for token in ours), between=between)
        heard = _joined((_heard(token) for token in ours), between=between)
        drawn = _drawn(edit, said, heard, arrow=arrow)
        if drawn:
            yield drawn


def _joined(surfaces: Iterable[str], *, between: str) -> str:
    """Join what was written; a mark of a text without spaces stands beside its letter, not apart."""
    joined = between.join(filter(None, surfaces))
    return visible(joined if between else joined.replace(" ", ""))


def _run(numbered: tuple[int, DiffToken], *, joined: bool) -> tuple[Edit, int]:
    number, token = numbered
    return token.edit, number if token.edit is Edit.SUBSTITUTION and not joined else -1


def _left(token: DiffToken, edit: Edit) -> str:
    """Name what was missed of a written word whose first part was heard."""
    return token.reference or "" if edit is not Edit.HIT else ""


def _heard(token: DiffToken) -> str:
    return token.hypothesis_surface or ("" if token.edit is Edit.HIT else token.hypothesis or "")


def _drawn(edit: Edit, said: str, heard: str, *, arrow: str) -> Markup:
    match edit:
        case Edit.HIT:
            return Markup("{}").format(heard)
        case Edit.DELETION:
            missed = Markup("<del>{}[\u2212<bdi>{}</bdi>\u2212]</del>").format(_aloud("missed:"), said)
            return missed + Markup(" {}").format(heard) if heard else missed
        case Edit.INSERTION:
            added = Markup("<ins>{}{{+<bdi>{}</bdi>+}}</ins>").format(_aloud("added:"), heard)
            return Markup("{} ").format(said) + added if said else added
        case Edit.SUBSTITUTION:
            return Markup(
                '<span class="sub">{}[<bdi class="said">{}</bdi>{}{}<bdi class="heard">{}</bdi>]</span>'
            ).format(_aloud("said"), said, arrow, _aloud("heard"), heard)
        case _:
            assert_never(edit)


def _aloud(words_: str) -> Markup:
    return Markup('<span class="aloud" lang="en" dir="ltr"> {} </span>').format(words_)
