"""Checks addresses of servers before anything is sent: a place that cannot exist, a key that was pasted into one."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown

_HOST_LIKE: Final = re.compile(r"[a-z]+://|[\w-]+(\.[\w-]+)+([:/]|$)|localhost\b")
"""What is shown of a wrong address: a key that was pasted into the wrong place is not."""


def check_address(url: str, *, words: str, hint: str) -> str:
    """Return an address that may be one of a server, or raise.

    Args:
        url: as it was given.
        words: what gives it.
        hint: what to give instead.
    """
    parts = _split(url)
    if parts is None:
        raise _refused(f"{words} is no address of a server: it cannot be read as one", hint)
    surplus = {
        "a user name or password": parts.username or parts.password,
        "a question mark and what follows it": parts.query or "?" in url,
        "a fragment (#)": parts.fragment or "#" in url,
    }
    if found := [told for told, is_there in surplus.items() if is_there]:
        raise _refused(
            f"{words} holds {' and '.join(found)}",
            "give the address alone; keys have variables of their own, which never show",
        )
    if parts.scheme in {"http", "https"} and parts.hostname:
        return url
    told = shown(url) if _HOST_LIKE.match(url) else "something"
    raise _refused(f"{words} is {told}, which is no address of a server", hint)


def _refused(message: str, hint: str) -> UsageError:
    return UsageError(message, code="invalid_setting", hint=hint)


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = parts.port is None or parts.port > 0
    except ValueError:  # such as http://[x, or a port that is no number
        return None
    return parts if usable else None
