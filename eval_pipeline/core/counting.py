"""Counts with their nouns, as a sentence has them: 1 batch, 2 batches."""

_ENDS_IN_ES = ("s", "x", "z", "ch", "sh")
_VOWELS = "aeiou"


def counted(count: int, noun: str, *, verb: tuple[str, str] | None = None) -> str:
    """Write a count with thousands separators, its noun in the number that goes with it, and the verb in its form.

    >>> counted(1, "batch"), counted(2, "batch"), counted(0, "open batch"), counted(1_000, "query")
    ('1 batch', '2 batches', '0 open batches', '1,000 queries')
    >>> counted(1, "request", verb=("was", "were"))
    '1 request was'
    """
    words = f"{count:,} {noun if count == 1 else plural(noun)}"
    return words if verb is None else f"{words} {verb[0] if count == 1 else verb[1]}"


def plural(noun: str) -> str:
    """Return the plural of a noun that has a regular one; the last word of several takes its ending.

    >>> plural("item"), plural("day"), plural("match")
    ('items', 'days', 'matches')
    """
    if noun.endswith(_ENDS_IN_ES):
        return f"{noun}es"
    if noun.endswith("y") and noun[-2:-1] not in _VOWELS:
        return f"{noun[:-1]}ies"
    return f"{noun}s"
