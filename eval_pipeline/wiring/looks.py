"""Looks at servers that cost nothing: what answers at an address, without following it elsewhere."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final

from eval_pipeline.core.secrets import redact_fields
from eval_pipeline.providers.openai.responses import is_there
from eval_pipeline.providers.transport import elsewhere

TIMEOUT_S: Final = 10
MOST_BYTES: Final = 8_000_000
"""Of an answer that lists models."""
_WRONG_KEY: Final = b"API_KEY_INVALID"
"""How Google says, with status 400, that a key is wrong."""
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said."""

    status: int | None
    """None: nothing."""
    document: Any = None
    """Its JSON; None where it is none."""
    refuses_key: bool = False
    problem: str = ""
    elsewhere: str | None = None

    def __post_init__(self) -> None:
        redact_fields(self, "problem", "elsewhere")


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key goes to the address that was given alone."""

    def redirect_request(self, *_redirect: object) -> None:
        """Take the redirect for the answer."""


_OPENER = urllib.request.build_opener(_StayHere)


def look(url: str, *, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
    """Ask an address once; with a body, by POST."""
    try:
        request = urllib.request.Request(url, data=body, headers=dict(headers))  # noqa: S310 - the user's own address
        with _OPENER.open(request, timeout=TIMEOUT_S) as reply:
            return Reply(reply.status, _json(reply.read(MOST_BYTES)))
    except urllib.error.HTTPError as error:
        told = {name.lower(): value for name, value in error.headers.items()}
        if moved := elsewhere(error.code, told, base_url=url):
            return Reply(error.code, elsewhere=moved)
        content = error.read(MOST_BYTES)
        return Reply(error.code, _json(content), refuses_key=error.code in _REFUSED or _WRONG_KEY in content)
    except (urllib.error.URLError, HTTPException, ValueError, OSError) as error:
        return Reply(None, problem=str(getattr(error, "reason", error)))


def _json(body: bytes) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def has_place(reply: Reply) -> bool | None:
    """Tell from the answer to an empty request whether a server has what was asked for; None: it does not tell.

    An empty request names no model and no text, so that no server can charge for it.
    """
    if reply.status is None or reply.elsewhere is not None or reply.refuses_key:
        return None
    if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return None
    return is_there(reply.status, b"" if reply.document is None else json.dumps(reply.document).encode())
