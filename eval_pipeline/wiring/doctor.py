"""Checks of an installation: keys, addresses, store, database; each says what is wrong and what to do."""

import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from uuid import uuid4

from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.protocols import OPENAI, ApiProtocol
from eval_pipeline.core.secrets import redact_fields
from eval_pipeline.dispatch.breaker import where_chat_is_said
from eval_pipeline.dispatch.restored import restored_words
from eval_pipeline.wiring import models
from eval_pipeline.wiring.credentials import Credentials
from eval_pipeline.wiring.deployment import Deployment
from eval_pipeline.wiring.endpoint import Endpoint
from eval_pipeline.wiring.endpoint_finding import find, other_protocol
from eval_pipeline.wiring.endpoint_trial import ask_models, asked_json
from eval_pipeline.wiring.endpoints import Endpoints
from eval_pipeline.wiring.looks import Reply, look

LOW_DISK_BYTES = 1_000_000_000
OTHERS = 0o077
"""Rights of a folder that are not its user's own."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: ``ok`` is None where something is off or could not be known, without being wrong."""

    check: str
    ok: bool | None
    detail: str
    hint: str = ""
    found: Mapping[str, object] = field(default_factory=dict)
    """What an endpoint's server has, for scripts."""

    def __post_init__(self) -> None:
        redact_fields(self, "detail", "hint")


def examine(deployment: Deployment, *, project: str, asks: bool = False) -> Iterator[Finding]:
    """Yield one finding per check; none raises.

    Args:
        deployment: what is examined.
        project: whose endpoints and keys.
        asks: whether models are asked a short question, which their servers may charge for.
    """
    yield _home(deployment)
    yield _guarded("database", lambda: _database(deployment))
    yield _guarded("store", lambda: _store(deployment))
    yield _guarded("ledger", lambda: _ages(deployment))
    try:
        credentials = deployment.credentials(project)
    except EvalPipelineError as error:  # told once, where it belongs
        yield from _without_variables(error)
        return
    try:
        endpoints = deployment.endpoints(project)
    except EvalPipelineError as error:
        yield Finding("endpoints", ok=False, detail=error.message, hint=error.hint)
    else:
        for endpoint in endpoints.values():
            yield _guarded(endpoint.title, partial(_endpoint, deployment, endpoints, endpoint.name, asks=asks))
    yield _guarded("Langfuse", lambda: _langfuse(credentials))


def _without_variables(error: EvalPipelineError) -> Iterator[Finding]:
    """Say what is wrong with a project's variables, and what cannot be examined before it is mended."""
    wrong, other = ("Langfuse", "endpoints") if error.message.startswith("LANGFUSE_") else ("endpoints", "Langfuse")
    yield Finding(wrong, ok=False, detail=error.message, hint=error.hint)
    yield Finding(other, ok=None, detail=f"not examined before what is wrong with {wrong} is mended")


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
    return Finding("ledger", ok=True, detail=f"it and its store know of {counted(epoch.stored, 'submitted batch')}")


def _store(deployment: Deployment) -> Finding:
    key = f"doctor/{uuid4().hex}"
    deployment.objects.put(key, b"probe")
    deployment.objects.read(key)
    deployment.objects.delete(key)
    return Finding("store", ok=True, detail=f"{deployment.store_url} can be written and read")


def _endpoint(deployment: Deployment, endpoints: Endpoints, name: str, *, asks: bool) -> Finding:
    """Try an endpoint's key, and find what its server has; one without a key is off, if there is another to ask."""
    endpoint = endpoints.find(name)
    others = [other for other in endpoints.values() if other is not endpoint and other.has_key]
    if not endpoint.has_key and (others or name != OPENAI):
        return Finding(endpoint.title, ok=None, detail=f"off: {endpoint.key.problem}")
    found = find(endpoint, settings=deployment.settings)
    if found is None:
        asked = ask_models(endpoint, (), settings=deployment.settings) if asks else ()
        detail = "; ".join(one.words() for one in asked) or "try it with eval-pipeline endpoint try"
        ok = all(one.answers for one in asked) if asked else None
        return Finding(endpoint.title, ok=ok, detail=f"{endpoint.protocol}: {detail}", found=asked_json(asked))
    remedy = f"{endpoint.key.words} and {endpoint.url_words}" if endpoint.key.is_wanted else endpoint.url_words
    judged = _judge_reply(endpoint.title, found.listed, url=found.url, remedy=remedy, with_key=endpoint.key.is_wanted)
    spoken = other_protocol(endpoint, found.has)
    if judged.ok is not False and spoken is not None:
        detail = f"{judged.detail}; it does not speak {endpoint.protocol}, but {spoken}: {found.words()}"
        return Finding(endpoint.title, ok=False, detail=detail, hint=_how_spoken(endpoint, spoken))
    asked = ask_models(endpoint, found.models, settings=deployment.settings) if asks and judged.ok is not False else ()
    told = "; ".join(filter(None, (judged.detail, found.words(), *(one.words() for one in asked))))
    ok = judged.ok if all(one.answers for one in asked) else False
    return replace(judged, ok=ok, detail=told, found=found.to_json() | asked_json(asked))


def _how_spoken(endpoint: Endpoint, protocol: ApiProtocol) -> str:
    """Say which line lets a server be asked in the protocol that it speaks."""
    if protocol is ApiProtocol.OPENAI_CHAT:
        return where_chat_is_said(models.asked_model(endpoint, "MODEL"))
    return f"write protocol: {protocol} for endpoint {endpoint.name} in {endpoint.file}"


def _langfuse(credentials: Credentials) -> Finding:
    if not credentials.traces_to_langfuse:
        return Finding("Langfuse", ok=None, detail="off: LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY are not set")
    pair = ":".join(credentials.require_langfuse_keys()).encode()
    url = credentials.langfuse_base_url.rstrip("/") + "/api/public/projects"
    reply = look(url, headers={"Authorization": f"Basic {b64encode(pair).decode()}"})
    return _judge_reply("Langfuse", reply, url=url, remedy="LANGFUSE_PUBLIC_KEY, _SECRET_KEY and _BASE_URL")


def _judge_reply(check: str, reply: Reply, *, url: str, remedy: str, with_key: bool = True) -> Finding:
    if reply.status is None:
        return Finding(check, ok=False, detail=f"{url} does not answer: {reply.problem}", hint=f"check {remedy}")
    if reply.elsewhere is not None:
        return Finding(check, ok=False, detail=reply.elsewhere, hint=f"give the final address: check {remedy}")
    if reply.refuses_key:
        return Finding(check, ok=False, detail=f"{url} refuses the key ({reply.status})", hint=f"check {remedy}")
    if reply.document is None:
        return Finding(
            check, ok=False, detail=f"{url} does not answer with JSON ({reply.status})", hint=f"check {remedy}"
        )
    if reply.status != HTTPStatus.OK:
        return Finding(check, ok=None, detail=f"{url} answers {reply.status}; the address and key may still be right")
    return Finding(check, ok=True, detail=f"{url} {'accepts the key' if with_key else 'answers'}")
