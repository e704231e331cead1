"""What was said beside what was heard, word by word as both were written: what a report draws.

The alignment is that of the scored tokens, so that the picture shows what was counted; people read the surfaces. No
surface is lost: one whose word left no token (a lone dash, a marker) joins the word before it, the first ones the word
after them.
"""

from collections.abc import Iterator, Sequence

from eval_pipeline.core.values import value
from eval_pipeline.stt_eval.language.words import Word
from eval_pipeline.stt_eval.scoring.alignment import align
from eval_pipeline.stt_eval.scoring.edits import AlignedToken, Edit
from eval_pipeline.stt_eval.scoring.lattice import Lattice, tokens_of
from eval_pipeline.stt_eval.scoring.lattice_match import closest_path


@value
class DiffToken:
    """One position of a diff: the scored tokens, and the surfaces that stand for them.

    A surface is "" where its token is a further one of the written word before it ("don't" scored as two), and where
    its side has no token. Only a text without any token at all shows a surface without one.
    """

    edit: Edit
    reference: str | None
    hypothesis: str | None
    reference_surface: str
    hypothesis_surface: str


def word_diff(reference: Sequence[Word] | Lattice, hypothesis: Sequence[Word]) -> tuple[DiffToken, ...]:
    """Lay a hypothesis beside its reference, or beside the closest way of a reference with alternatives."""
    heard = tokens_of(hypothesis)
    spoken = closest_path(reference, heard) if isinstance(reference, Lattice) else reference
    surfaces = _surfaces(spoken), _surfaces(hypothesis)
    aligned = align(tokens_of(spoken), heard)
    if not aligned:
        return _unscored(*surfaces)
    return tuple(_placed(aligned, *surfaces))


def _surfaces(words: Sequence[Word]) -> list[str]:
    """Return the surface of every token; those of words without a token are joined to their neighbour's.

    >>> _surfaces([Word("", "—"), Word("yes", "Yes"), Word("", "…"), Word("no", "no")])
    ['— Yes …', 'no']
    """
    surfaces: list[str] = []
    waiting = ""
    for word in words:
        if word.token:
            surfaces.append(_joined(waiting, word.surface))
            waiting = ""
        elif surfaces:
            surfaces[-1] = _joined(surfaces[-1], word.surface)
        else:
            waiting = _joined(waiting, word.surface)
    return surfaces or [waiting]


def _joined(before: str, after: str) -> str:
    return f"{before} {after}" if before and after else before or after


def _placed(aligned: Sequence[AlignedToken], spoken: list[str], heard: list[str]) -> Iterator[DiffToken]:
    """Give every aligned token its surfaces; the first one those of a side without tokens."""
    all_inserted = all(token.reference_index is None for token in aligned)
    all_deleted = all(token.hypothesis_index is None for token in aligned)
    for place, token in enumerate(aligned):
        yield DiffToken(
            edit=token.edit,
            reference=token.reference,
            hypothesis=token.hypothesis,
            reference_surface=_surface(spoken, token.reference_index, alone=all_inserted and place == 0),
            hypothesis_surface=_surface(heard, token.hypothesis_index, alone=all_deleted and place == 0),
        )


def _surface(surfaces: list[str], index: int | None, *, alone: bool) -> str:
    if index is not None:
        return surfaces[index]
    return surfaces[0] if alone else ""


def _unscored(spoken: list[str], heard: list[str]) -> tuple[DiffToken, ...]:
    """Show two texts without any token side by side: nothing about them was wrong."""
    if not spoken[0] and not heard[0]:
        return ()
    return (
        DiffToken(
            edit=Edit.HIT,
            reference=None,
            hypothesis=None,
            reference_surface=spoken[0],
            hypothesis_surface=heard[0],
        ),
    )
