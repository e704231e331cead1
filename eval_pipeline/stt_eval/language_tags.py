"""Language tags as the grammar of BCP 47 (RFC 5646) has them, written in its recommended case."""

import re

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3})(?:-(?P<script>[a-z]{4}))?(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?)",
    re.IGNORECASE | re.ASCII,
)
_MAX_CHARACTERS = 100


def checked_language(value: str) -> str:
    """Return a tag in its recommended case, else raise ``invalid_language``.

    >>> checked_language("HI-deva-in")
    'hi-Deva-IN'
    """
    tag = _TAG.fullmatch(value) if len(value) <= _MAX_CHARACTERS else None
    if tag is None:
        guess = value.replace("_", "-")
        meant = f"write {guess}" if "_" in value and _TAG.fullmatch(guess) else "write a tag such as hi, hi-IN or en"
        raise UsageError(f"{shown(value)} is no language tag (BCP 47)", code="invalid_language", hint=meant)
    parts = [tag["language"].lower(), (tag["script"] or "").title(), (tag["region"] or "").upper()]
    return "-".join(part for part in parts if part) + tag["rest"].lower()
