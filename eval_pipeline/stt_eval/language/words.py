"""A token as it is scored, and as it was written: scores compare tokens, people read surfaces."""

from eval_pipeline.core.values import value


@value
class Word:
    """One token of a text; ``surface`` is what stood there before normalisation, "" where a mark alone became a token.

    Several tokens can come of one written word ("don't" is two without its apostrophe): the first carries the surface.
    """

    token: str
    surface: str
