"""Whom a model can be asked: an endpoint as it is configured here and now, and the protocol that it speaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from eval_pipeline.core.configuration import canonical_sha256
from eval_pipeline.core.documents import Json
from eval_pipeline.core.endpoints import FrozenEndpoint
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.own_prices import OwnPrice
from eval_pipeline.core.protocols import ApiProtocol
from eval_pipeline.core.secrets import redact
from eval_pipeline.providers.batch_calls import account_digest
from eval_pipeline.providers.plan import ProtocolPlan, Reach
from eval_pipeline.wiring.filling import fill, variables_in
from eval_pipeline.wiring.keys import fit_for_header
from eval_pipeline.wiring.protocols import plan_of
from eval_pipeline.wiring.settings import Settings

HIDDEN: Final = "…"
"""What is shown of a secret."""
LOOK_TIMEOUT_S: Final = 10.0
"""A list that takes longer keeps other accounts waiting."""


@dataclass(frozen=True, slots=True)
class Key:
    """What an endpoint is asked with; it never shows."""

    value: str | None = field(repr=False)
    words: str
    """What gives it: a variable, or a file."""
    problem: str = ""
    """Why there is none."""
    remedy: str = ""
    """What to do then."""
    is_wanted: bool = True
    """Whether the server takes any at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint of a project."""

    name: str
    protocol: ApiProtocol
    title: str
    """As messages name it: the vendor, or ``endpoint NAME``."""
    base_url: str
    url_words: str
    """What gives the address."""
    key: Key
    former_keys: Sequence[str] = field(default=(), repr=False)
    """That were its own before: what went out under one is looked for with it."""
    file: Path | None = None
    """Where it is written down; None of the built-in ones, which are in the environment."""
    concurrency: int | None = None
    """Live calls under way at once, at most; None: as many as the run wants."""
    has_batches: bool = True
    """Whether it was said to have batches, if its protocol has any."""
    prices: Mapping[str, OwnPrice] = field(default_factory=dict)
    """Set in its file, by model."""
    more: Json = field(default_factory=dict, repr=False)
    """What only its protocol has, as the file says it."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What ``${VARIABLE}`` stands for."""

    @property
    def plan(self) -> ProtocolPlan:
        """What its protocol offers."""
        return plan_of(self.protocol)

    @property
    def has_key(self) -> bool:
        """Whether it can be asked at all."""
        return self.key.value is not None or not self.key.is_wanted

    def require_key(self) -> str:
        """Return its key, empty where the server takes none; or raise ``missing_api_key``."""
        if not self.key.is_wanted:
            return ""
        if self.key.value is not None:
            return fit_for_header(self.key.words, self.key.value)
        raise UsageError(
            f"no API key for {redact(self.base_url)}: {self.key.problem}",
            code="missing_api_key",
            hint=self.key.remedy,
        )

    def by_keys(self) -> "list[Endpoint]":
        """Return the endpoint as it is, and as each former key reaches it."""
        words = f"a former key of {self.title}"
        former = [value for value in dict.fromkeys(self.former_keys) if value != self.key.value]
        return [self, *(replace(self, key=Key(value, words), former_keys=()) for value in former)]

    def reach(self, settings: Settings, *, concurrency: int = 1) -> Reach:
        """Return where and how its live calls go.

        Raises:
            UsageError: ``missing_api_key``, or ``invalid_setting`` for a variable that is not set.
        """
        return Reach(
            base_url=self.base_url,
            api_key=self.require_key(),
            timeout_s=settings.request_timeout_seconds,
            connections=concurrency,
            max_answer_bytes=settings.max_answer_bytes,
            key_words=self.key.words,
            url_words=self.url_words,
            is_own=self.file is not None,
            more=fill(self.more, self.variables, endpoint=self.name, file=self.file),
        )

    def shown_reach(self, settings: Settings) -> Reach:
        """Return the same with a mark in place of every secret, for a person to look at."""
        marks = dict.fromkeys(variables_in(self.more), HIDDEN)
        more = fill(self.more, marks, endpoint=self.name, file=self.file)
        return replace(self.reach(settings), api_key=HIDDEN if self.key.is_wanted else "", more=more)

    def most_at_once(self, wanted: int) -> int:
        """Return how many calls may be under way at once of those that a run wants."""
        return wanted if self.concurrency is None else min(wanted, self.concurrency)

    def frozen(self, *models: str) -> FrozenEndpoint:
        """Return it as a specification keeps it, with the prices of the models that are asked."""
        key = self.require_key() if self.has_key else None
        return FrozenEndpoint(
            protocol=self.protocol,
            base_url=redact(self.base_url),  # some gateways take a key in their path
            account=None if key is None else account_digest(self.base_url, api_key=key),
            batches=self.has_batches,
            prices={model: self.prices[model] for model in models if model in self.prices},
            form=canonical_sha256(self.more) if self.more else None,
        )
