"""Which part of a written word became which token, where only some of them are right.

``₹1,00,000`` is two tokens, of which the first carries what was written. Where one is right and one is wrong, a
reader must see which: the sign alone is marked, and the number is not.
"""

from collections.abc import Callable, Iterator, Sequence

from eval_pipeline.stt_eval.language.normalisation import normalise
from eval_pipeline.stt_eval.scoring.edits import Edit
from eval_pipeline.stt_eval.scoring.scoring import HEADLINE
from eval_pipeline.stt_eval.scoring.word_diff import DiffToken

Side = Callable[[DiffToken], tuple[str | None, str]]


def with_parts(tokens: Sequence[DiffToken], *, language: str | None) -> tuple[DiffToken, ...]:
    """Give every token of a word that is right in part its own part of what was written."""
    said = _surfaces(tokens, lambda token: (token.reference, token.reference_surface), language=language)
    heard = _surfaces(tokens, lambda token: (token.hypothesis, token.hypothesis_surface), language=language)
    return tuple(
        DiffToken(
            edit=token.edit,
            reference=token.reference,
            hypothesis=token.hypothesis,
            reference_surface=said[place],
            hypothesis_surface=heard[place],
        )
        for place, token in enumerate(tokens)
    )


def _surfaces(tokens: Sequence[DiffToken], side: Side, *, language: str | None) -> list[str]:
    """Return what one side shows of every token."""
    shown = [side(token)[1] for token in tokens]
    for places in _words(tokens, side):
        edits = {tokens[place].edit for place in places}
        if len(places) > 1 and len(edits) > 1 and Edit.HIT in edits:
            own = [side(tokens[place])[0] or "" for place in places]
            for place, part in zip(places, parts(shown[places[0]], own, language=language), strict=True):
                shown[place] = part
    return shown


def _words(tokens: Sequence[DiffToken], side: Side) -> Iterator[list[int]]:
    """Yield the places of the tokens of each written word, of which the first carries the surface."""
    word: list[int] = []
    for place, token in enumerate(tokens):
        own, surface = side(token)
        if own is None:
            continue
        if surface and word:
            yield word
            word = []
        word.append(place)
    if word:
        yield word


def parts(surface: str, tokens: Sequence[str], *, language: str | None) -> list[str]:
    """Cut what was written where the tokens meet; where that cannot be told, the tokens stand for themselves.

    >>> parts("₹1,00,000", ["₹", "100000"], language="hi")
    ['₹', '1,00,000']
    """
    found, rest = [], surface
    for number, token in enumerate(tokens[:-1], start=1):
        behind = " ".join(tokens[number:])
        cut = next((at for at in range(1, len(rest)) if _meets(rest, at, token, behind, language=language)), None)
        if cut is None:
            return list(tokens)
        found.append(rest[:cut])
        rest = rest[cut:]
    return [*found, rest]


def _meets(text: str, at: int, token: str, behind: str, *, language: str | None) -> bool:
    before, after = (normalise(part, HEADLINE, language=language) for part in (text[:at], text[at:]))
    return (before, after) == (token, behind)
