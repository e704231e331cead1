"""Checks of an installation: keys, addresses, store, database; each says what is wrong and what to do."""

import json
import shutil
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from uuid import uuid4

from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.protocols import OPENAI
from eval_pipeline.core.secrets import redact_fields
from eval_pipeline.dispatch.restored import restored_words
from eval_pipeline.providers.transport import elsewhere
from eval_pipeline.wiring.deployment import Deployment

TIMEOUT_S = 10
MOST_BYTES = 8_000_000
"""Of an answer that lists models."""
LOW_DISK_BYTES = 1_000_000_000
OTHERS = 0o077
"""Rights of a folder that are not its user's own."""
_WRONG_KEY = b"API_KEY_INVALID"
"""How Google says, with status 400, that a key is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``ok`` is None where something is off or could not be known, without being wrong."""

    check: str
    ok: bool | None
    detail: str
    hint: str = ""

    def __post_init__(self) -> None:
        redact_fields(self, "detail", "hint")


def examine(deployment: Deployment, *, project: str) -> Iterator[Finding]:
    """Yield one finding per check; none raises."""
    yield _home(deployment)
    yield _guarded("database", lambda: _database(deployment))
    yield _guarded("store", lambda: _store(deployment))
    yield _guarded("ledger", lambda: _ages(deployment))
    try:
        endpoints = deployment.endpoints(project)
    except EvalPipelineError as error:
        yield Finding("endpoints", ok=False, detail=error.message, hint=error.hint)
    else:
        for endpoint in endpoints.values():
            yield _guarded(endpoint.title, partial(_endpoint, deployment, endpoint.name, project=project))
    yield _guarded("Langfuse", lambda: _langfuse(deployment, project=project))


def _guarded(check: str, examine_it: Callable[[], Finding]) -> Finding:
    try:
        return examine_it()
    except EvalPipelineError as error:
        return Finding(check, ok=False, detail=error.message, hint=error.hint)


def _home(deployment: Deployment) -> Finding:
    existing = next(folder for folder in (deployment.home, *deployment.home.parents) if folder.exists())
    if not existing.is_dir():
        detail = f"{deployment.home} cannot be a folder: {existing} is a file"
        return Finding("home", ok=False, detail=detail, hint="set EVAL_PIPELINE_HOME to a folder")
    free = shutil.disk_usage(existing).free
    detail = f"{deployment.home}, {free / 1e9:.1f} GB free"
    if free < LOW_DISK_BYTES:
        return Finding("home", ok=False, detail=detail, hint="make room, or set EVAL_PIPELINE_HOME to another disk")
    if existing == deployment.home and existing.stat().st_mode & OTHERS:
        detail = f"{detail}; other users of this machine can read it"
        return Finding("home", ok=None, detail=detail, hint=f"where nobody else needs it: chmod 700 {existing}")
    return Finding("home", ok=True, detail=detail)


def _database(deployment: Deployment) -> Finding:
    kind = "PostgreSQL" if (deployment.database_url or "").startswith("postgres") else "SQLite"
    return Finding("database", ok=True, detail=f"{kind}, ledger {deployment.ledger.id}")


def _ages(deployment: Deployment) -> Finding:
    epoch = deployment.check_store()
    if epoch.restored_at is not None:
        return Finding("ledger", ok=None, detail=restored_words(epoch.restored_at))
    return Finding("ledger", ok=True, detail=f"it and its store know of {epoch.stored:,} submitted batches")


def _store(deployment: Deployment) -> Finding:
    key = f"doctor/{uuid4().hex}"
    deployment.objects.put(key, b"probe")
    deployment.objects.read(key)
    deployment.objects.delete(key)
    return Finding("store", ok=True, detail=f"{deployment.store_url} can be written and read")


def _endpoint(deployment: Deployment, name: str, *, project: str) -> Finding:
    """Try an endpoint's key; one without a key is off, as long as there is another to ask."""
    endpoints = deployment.endpoints(project)
    endpoint = endpoints.find(name)
    others = [other for other in endpoints.values() if other is not endpoint and other.has_key]
    if not endpoint.has_key and (others or name != OPENAI):
        return Finding(endpoint.title, ok=None, detail=f"off: {endpoint.key.problem}")
    reach = endpoint.reach(deployment.settings)
    if endpoint.plan.listing is None:
        return Finding(endpoint.title, ok=None, detail=f"{endpoint.base_url} cannot be tried without paying")
    listing = endpoint.plan.listing(reach)
    remedy = f"{endpoint.key.words} and {endpoint.url_words}"
    return _judge_reply(
        endpoint.title, _get(listing.url, headers=dict(listing.headers)), url=listing.url, remedy=remedy
    )


def _langfuse(deployment: Deployment, *, project: str) -> Finding:
    credentials = deployment.credentials(project)
    if not credentials.traces_to_langfuse:
        return Finding("Langfuse", ok=None, detail="off: LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set")
    pair = ":".join(credentials.require_langfuse_keys()).encode()
    url = credentials.langfuse_base_url.rstrip("/") + "/api/public/projects"
    reply = _get(url, headers={"Authorization": f"Basic {b64encode(pair).decode()}"})
    return _judge_reply("Langfuse", reply, url=url, remedy="LANGFUSE_PUBLIC_KEY, _SECRET_KEY and _BASE_URL")


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int | None
    is_json: bool
    refuses_key: bool = False
    problem: str = ""
    elsewhere: str | None = None


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the key goes to the address that was given alone."""

    def redirect_request(self, *_redirect: object) -> None:
        """Take the redirect for the answer."""


_OPENER = urllib.request.build_opener(_StayHere)


def _get(url: str, *, headers: dict[str, str]) -> _Reply:
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the user's own address
        with _OPENER.open(request, timeout=TIMEOUT_S) as reply:
            return _Reply(reply.status, is_json=_is_json(reply.read(MOST_BYTES)))
    except urllib.error.HTTPError as error:
        headers = {name.lower(): value for name, value in error.headers.items()}
        if told := elsewhere(error.code, headers, base_url=url):
            return _Reply(error.code, is_json=False, elsewhere=told)
        body = error.read(MOST_BYTES)
        refuses = error.code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN} or _WRONG_KEY in body
        return _Reply(error.code, is_json=_is_json(body), refuses_key=refuses)
    except (urllib.error.URLError, HTTPException, ValueError, OSError) as error:
        return _Reply(None, is_json=False, problem=str(getattr(error, "reason", error)))


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _judge_reply(check: str, reply: _Reply, *, url: str, remedy: str) -> Finding:
    if reply.status is None:
        return Finding(check, ok=False, detail=f"{url} does not answer: {reply.problem}", hint=f"check {remedy}")
    if reply.elsewhere is not None:
        return Finding(check, ok=False, detail=reply.elsewhere, hint=f"give the final address: check {remedy}")
    if reply.refuses_key:
        return Finding(check, ok=False, detail=f"{url} refuses the key ({reply.status})", hint=f"check {remedy}")
    if not reply.is_json:
        return Finding(
            check, ok=False, detail=f"{url} does not answer with JSON ({reply.status})", hint=f"check {remedy}"
        )
    if reply.status != HTTPStatus.OK:
        return Finding(check, ok=None, detail=f"{url} answers {reply.status}; the address and key may still be right")
    return Finding(check, ok=True, detail=f"{url} accepts the key")
