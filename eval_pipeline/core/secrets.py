"""The secrets that this process uses, and their removal from everything that is told or kept.

A server repeats what it was sent in any field: a message, a code, an id, an answer. So the constructors of errors and
of records pass every text through ``redact``: there is no call that somebody could forget. There is one registry a
process, as there is one log: a key of one project must not show in what is said about another.
"""

import html
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote, unquote, urlsplit

REDACTED: Final = "[key]"
LEAST_CHARACTERS: Final = 8
"""Of a secret that is searched for: ``OPENAI_API_KEY=none`` must not blank out ordinary words."""
_ORDINARY: Final = frozenset({"password", "postgres", "postgresql", "changeme", "minioadmin", "localhost", "test-key"})
_TOKEN: Final = re.compile(r"(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9._~+=-]{16,}")
"""A part of a path that no person would have chosen: some gateways take their key there."""
_LABEL: Final = 256
"""Characters of a code, a status, an id: some are turned into lower case on their way, and are looked at in it."""
_RARE: Final = "~^|{}<>=+/_@#$%&!?;:0123456789ZQXJKVYWUGB-"
"""What texts hold less often than letters, the rarest first: finding one character is much faster than finding ten."""


class _Registry:
    """What is searched for: each secret in the forms in which it may come back."""

    def __init__(self, secrets: frozenset[str] = frozenset()) -> None:
        self.secrets = secrets
        forms = {form for secret in secrets for form in _forms(secret)}
        self.forms = tuple(sorted((min(form, key=_commonness), form) for form in forms))
        self.lowered = tuple({form.lower() for form in forms})
        self.shortest = min(map(len, forms), default=sys.maxsize)
        self.encoded = tuple({form.encode() for form in forms})
        longest_first = sorted(forms, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
        self.bytes_pattern = re.compile(self.pattern.pattern.encode(), re.IGNORECASE)


_registry = _Registry()


def know_secrets(secrets: Iterable[str | None]) -> None:
    """Keep these out of everything from now on; short ones and ordinary words are let through."""
    global _registry  # noqa: PLW0603 - one a process, as the module says
    new = {secret for secret in secrets if secret and len(secret) >= LEAST_CHARACTERS} - _registry.secrets
    new = {secret for secret in new if secret.lower() not in _ORDINARY}
    if new:
        _registry = _Registry(_registry.secrets | new)


def forget_secrets() -> None:
    """Know none; for tests, which share a process."""
    global _registry  # noqa: PLW0603 - the same
    _registry = _Registry()


def secrets_in_url(url: str) -> Iterator[str]:
    """Yield what must not be shown of an address: its password, and parts of its path that look like a key."""
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return
    if password:
        yield password
        yield unquote(password)
    yield from (part for part in parts.path.split("/") if _TOKEN.fullmatch(part))


def redact(text: str) -> str:
    """Return a text without the known secrets, whoever repeated them.

    >>> know_secrets(["sk-0123456789"])
    >>> redact("the key SK-0123456789 is wrong")
    'the key [key] is wrong'
    >>> forget_secrets()
    """
    known = _registry
    if len(text) < known.shortest:
        return text
    if len(text) <= _LABEL:
        lowered = text.lower()
        for form in known.lowered:
            if form in lowered:
                return known.pattern.sub(REDACTED, text)
        if text.isascii():
            return text
    for rare, form in known.forms:  # of an answer's characters only a few are looked at twice
        if rare in text and form in text:
            return known.pattern.sub(REDACTED, text)
    return text


def redact_fields(record: object, *names: str) -> None:
    """Take the known secrets out of texts of a record, frozen or not, while it is made."""
    if not _registry.forms:
        return
    for name in names:
        text = getattr(record, name)
        if text is not None and (clean := redact(text)) is not text:
            object.__setattr__(record, name, clean)


def redact_bytes(data: bytes) -> bytes:
    """Return bytes of a server without the known secrets; the very same object when there are none in it."""
    known = _registry
    if not any(form in data for form in known.encoded):
        return data
    return known.bytes_pattern.sub(REDACTED.encode(), data)


def holds_secret(text: str) -> bool:
    """Tell whether a text repeats a known secret."""
    return redact(text) is not text


def excerpt(text: str, *, most: int) -> str:
    """Return the beginning of a text without secrets: redacted before it is cut, so that no half of one stays."""
    clean = redact(text)
    return clean if len(clean) <= most else clean[:most] + "…"


def label(text: str, *, most: int) -> str:
    """Return the beginning of a name that a server gave, redacted before it is cut."""
    return redact(text)[:most]


def without_secrets(error: BaseException, *, depth: int = 20) -> BaseException:
    """Return an exception without the known secrets, its causes included; the same one wherever it can be cleaned.

    Vendors put requests and answers into theirs, and whoever stores an exception stores its causes.
    """
    error.args = tuple(redact(value) if isinstance(value, str) else value for value in error.args)
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    if depth == 0 or holds_secret(f"{error} {error!r}") or any(without_secrets(one) is not one for one in members):
        return RuntimeError(redact(f"{type(error).__name__}: {error}"))
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and (clean := without_secrets(cause, depth=depth - 1)) is not cause:
        error.__cause__ = clean
    return error


def _commonness(character: str) -> int:
    place = _RARE.find(character)
    return len(_RARE) if place < 0 else place


def _forms(secret: str) -> Iterator[str]:
    """Yield how a secret may come back: as it is, in an address, in JSON, in HTML."""
    yield secret
    yield quote(secret, safe="")
    yield quote(secret, safe="/")
    yield secret.replace("/", "\\/")
    yield html.escape(secret)
