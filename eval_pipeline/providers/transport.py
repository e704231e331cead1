"""Calls to providers below their protocols: bytes that came back, and what it means when none did."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.outcomes import REDIRECTED, AccountFault, Attempt, AttemptOutcome, ItemError

CONNECT_TIMEOUT_S = 10.0
_REDIRECTS_FROM, _REDIRECTS_TO = 300, 400
KEEP_ALIVE_S = 60.0


@dataclass(frozen=True, slots=True)
class RawReply:
    """An HTTP answer of any status."""

    http_status: int
    content: bytes
    headers: Mapping[str, str]
    latency_s: float


@cache
def tls_context() -> ssl.SSLContext:
    """Return what HTTPS servers are judged by; reading the certificates takes 40 ms, more than a look at a batch."""
    import httpx2  # noqa: PLC0415 - loaded with the transport

    return httpx2.create_ssl_context()


@contextmanager
def proxies_explained() -> Iterator[None]:
    """Explain what a proxy of the environment makes of a client while it is made."""
    try:
        yield
    except (ImportError, ValueError) as error:  # a SOCKS proxy, which needs a package; no address at all
        raise _unsupported_proxy(str(error).partition(".")[0]) from None


def proxy_to(url: str) -> str | None:
    """Return the system's proxy for an address; ``proxy_unsupported`` for SOCKS, which would be spoken to in HTTP.

    The clients' own look at it, and at .netrc, takes 0.4 ms a call.
    """
    address, proxies = urlsplit(url), getproxies()
    if not proxies or not address.hostname or proxy_bypass(address.hostname):
        return None
    proxy = proxies.get(address.scheme) or proxies.get("all")
    if proxy is not None and proxy.lower().startswith("socks"):
        raise _unsupported_proxy("it speaks SOCKS")
    return proxy


def _unsupported_proxy(why: str) -> UsageError:
    named = ", ".join(f"{scheme}_proxy" for scheme in getproxies())
    return UsageError(
        f"the proxy of the environment ({named}) cannot be used: {why}",
        code="proxy_unsupported",
        hint="name an HTTP proxy in HTTPS_PROXY and HTTP_PROXY, unset ALL_PROXY, or list the server in NO_PROXY",
    )


def transport_errors() -> tuple[type[BaseException], ...]:
    """Return everything that the layers below raise when there is no answer: httpx2, aiohttp, the system."""
    import aiohttp  # noqa: PLC0415 - loaded with the transport
    import httpx2  # noqa: PLC0415 - the same

    # the SDKs' transports let aiohttp's errors about broken HTTP through unwrapped
    return (httpx2.HTTPError, httpx2.InvalidURL, aiohttp.ClientError, TimeoutError, OSError)


def no_reply(error: BaseException, *, base_url: str, timeout_s: float) -> Attempt:
    """Say what it means that a call brought no answer."""
    chain = causes(error)
    if unreachable := why_unreachable(chain):
        return _failed_call("connection_failed", f"cannot connect to {base_url}: {unreachable}", reached=False)
    if any(isinstance(cause, TimeoutError) for cause in chain):
        return _failed_call("timeout", f"no complete answer from {base_url} within {timeout_s:g} s")
    return _failed_call("connection_lost", f"the connection to {base_url} was lost: {deepest(error)}")


def finished(attempt: Attempt, *, latency_s: float) -> Attempt:
    """Add the time that a call took."""
    return replace(attempt, latency_s=latency_s)


def elsewhere(http_status: int, headers: Mapping[str, str], *, base_url: str) -> str | None:
    """Say where an answer sends us, which is not followed: keys and texts go to the address that was given alone."""
    target = headers.get("location")
    if not target or not _REDIRECTS_FROM <= http_status < _REDIRECTS_TO:
        return None
    place = origin(target)
    asked = origin(base_url) or base_url
    return f"{asked} redirects to {place or 'another path of its own'}, which is not followed (HTTP {http_status})"


def origin(url: str) -> str | None:
    """Return scheme, host and port of an address, nothing that could be a secret; None when it names no host."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return None
    return f"{parts.scheme or 'http'}://{host}{port}" if host else None


def redirected(words: str) -> Attempt:
    """Return the attempt of a call that was sent elsewhere."""
    return Attempt(
        outcome=AttemptOutcome.FAILED,
        error=ItemError(code=REDIRECTED, type="http_error", message=words, transient=False),
        account_fault=AccountFault.NOT_AN_API,
    )


def causes(error: BaseException) -> list[BaseException]:
    """List the error and what caused it, the deepest last."""
    chain = [error]
    while (deeper := chain[-1].__cause__ or chain[-1].__context__) is not None and deeper not in chain:
        chain.append(deeper)
    return chain


def deepest(error: BaseException) -> str:
    """Return the words of the first cause."""
    cause = causes(error)[-1]
    return str(cause) or type(cause).__name__


def why_unreachable(chain: list[BaseException]) -> str | None:
    """Say why no connection came about, or None when there was one."""
    import aiohttp  # noqa: PLC0415 - loaded with the transport
    import httpx2  # noqa: PLC0415 - the same

    too_early = (
        aiohttp.ClientConnectorError,
        aiohttp.ConnectionTimeoutError,
        aiohttp.InvalidURL,
        aiohttp.NonHttpUrlClientError,
        httpx2.UnsupportedProtocol,
        httpx2.InvalidURL,
        httpx2.ProxyError,
        ConnectionRefusedError,
        ssl.SSLCertVerificationError,
    )
    found = next((cause for cause in chain if isinstance(cause, too_early)), None)
    return None if found is None else (str(found) or type(found).__name__)


def never_connected(error: BaseException) -> bool:
    """Tell whether a call of httpx2 failed before it was sent."""
    import httpx2  # noqa: PLC0415 - loaded with the transport

    early = httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.InvalidURL | httpx2.UnsupportedProtocol
    return any(isinstance(cause, early) for cause in causes(error))


def _failed_call(code: str, message: str, *, reached: bool = True) -> Attempt:
    return Attempt(
        outcome=AttemptOutcome.RETRYABLE,
        error=ItemError(code=code, type="connection_error", message=message, transient=True),
        account_fault=None if reached else AccountFault.UNREACHABLE,
        maybe_billed=reached,
    )
