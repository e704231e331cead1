"""What an endpoint turns out to be, found without paying: its models, and which requests its server has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eval_pipeline.core.counting import counted
from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.core.secrets import redact
from eval_pipeline.providers.plan import Reach
from eval_pipeline.wiring.endpoint import Endpoint
from eval_pipeline.wiring.looks import Reply, has_place, look
from eval_pipeline.wiring.settings import Settings

RESPONSES: Final = "/responses"
CHAT: Final = "/chat/completions"
SHOWN_MODELS: Final = 5
_ASKED: Final = {ApiProtocol.OPENAI_RESPONSES: RESPONSES, ApiProtocol.OPENAI_CHAT: CHAT}
_WITH: Final = {RESPONSES: ApiProtocol.OPENAI_RESPONSES, CHAT: ApiProtocol.OPENAI_CHAT}
_LISTS: Final = "/batches"
"""Places that end so are read, so that they are asked for by GET."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of an endpoint."""

    listed: Reply
    """What its list of models answers."""
    url: str
    """Of that list."""
    models: tuple[str, ...] = ()
    has: Mapping[str, bool | None] = field(default_factory=dict)
    """Requests by path: whether the server has them; None: it does not tell."""

    def to_json(self) -> dict[str, object]:
        """Return what scripts read."""
        return {"models": list(self.models), "has": dict(self.has)}

    def words(self) -> str:
        """Say it in a line; empty where nothing more is known than that it answers."""
        shown = ", ".join(self.models[:SHOWN_MODELS]) + (", …" if len(self.models) > SHOWN_MODELS else "")
        told = f"{counted(len(self.models), 'model')} ({shown})" if self.models else ""
        names = {True: "yes", False: "no", None: "not told"}
        return "; ".join(filter(None, [told, ", ".join(f"{path} {names[has]}" for path, has in self.has.items())]))


def find(endpoint: Endpoint, *, settings: Settings) -> Found | None:
    """Look at an endpoint; None where its protocol has nothing that could be looked at without paying."""
    reach = endpoint.reach(settings)
    if endpoint.plan.listing is None:
        return None
    listing = endpoint.plan.listing(reach)
    listed = look(listing.url, headers=listing.headers)
    answers = listed.status is not None and listed.elsewhere is None and not listed.refuses_key
    has = {path: _has(endpoint, reach, path, headers=listing.headers) for path in endpoint.plan.paths if answers}
    return Found(listed, redact(listing.url), _models(listed.document), has)


def _has(endpoint: Endpoint, reach: Reach, path: str, *, headers: Mapping[str, str]) -> bool | None:
    url = endpoint.plan.place(reach, path)
    if path.endswith(_LISTS):
        return has_place(look(f"{url}?limit=1", headers=headers))
    return has_place(look(url, headers={**headers, "Content-Type": "application/json"}, body=b"{}"))


def _models(document: Any) -> tuple[str, ...]:  # noqa: ANN401 - JSON
    """Read a list of models as OpenAI, Anthropic and Google write one."""
    if not isinstance(document, Mapping):
        return ()
    listed = document.get("data", document.get("models"))
    entries = [entry for entry in listed if isinstance(entry, Mapping)] if isinstance(listed, list) else []
    names = (entry.get("id", entry.get("name")) for entry in entries)
    return tuple(redact(name.removeprefix("models/")) for name in names if isinstance(name, str))


def other_protocol(endpoint: Endpoint, has: Mapping[str, bool | None]) -> ApiProtocol | None:
    """Return the protocol that a server speaks instead of the one it is asked in; None where that is in order."""
    asked = _ASKED.get(endpoint.protocol)
    if asked is None or has.get(asked) is not False:
        return None
    return next((protocol for path, protocol in _WITH.items() if path != asked and has.get(path)), None)
