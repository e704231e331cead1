"""How the stand-in counts tokens: one per four bytes of UTF-8, begun ones counted whole, at least one.

Real tokenizers differ by model; this rule can be recomputed in any language, so that tests check
usage and cost to the digit.
"""

from collections.abc import Iterable

BYTES_PER_TOKEN = 4


def count_tokens(text: str) -> int:
    """Return the tokens of one text."""
    return max(1, -(-len(text.encode()) // BYTES_PER_TOKEN))


def count_all(texts: Iterable[str]) -> int:
    """Return the tokens of several texts, each counted by itself."""
    return sum(count_tokens(text) for text in texts)


def first_tokens(text: str, limit: int) -> str:
    """Return the beginning of a text that has no more tokens than the limit, in whole characters."""
    return text.encode()[: limit * BYTES_PER_TOKEN].decode(errors="ignore")
