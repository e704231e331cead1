"""Whether a key can be sent, told without showing it."""

from eval_pipeline.core.errors import UsageError


def fit_for_header(words: str, key: str) -> str:
    """Return a key that can be sent; one with a line break or a typographic dash in it was pasted wrongly."""
    for place, character in enumerate(key, start=1):
        if not "!" <= character <= "~":
            raise UsageError(
                f"{words} has {_named(character)} as character {place} of {len(key)}, which cannot be sent",
                code="invalid_setting",
                hint=f"copy the key again, in one line and without quotes, into {words}",
            )
    return key


def _named(character: str) -> str:
    """Name a character of a key without showing any other."""
    known = {"\n": "a line break", "\r": "a carriage return", " ": "a space", "\t": "a tab"}
    return known.get(character) or f"the character U+{ord(character):04X}"
