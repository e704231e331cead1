"""Tells a fault of the account from a fault of an item, and puts it into words that a person can act on.

A wrong key fails every item in the same way. After a few such failures in a row the stage stops: thousands of identical
failed rows help nobody, and as nothing is recorded the retry asks them again.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar, assert_never

from eval_pipeline.core.errors import EvalPipelineError, UnavailableError, UsageError
from eval_pipeline.core.outcomes import REDIRECTED, AccountFault, Attempt
from eval_pipeline.core.secrets import redact_fields

Result = TypeVar("Result")
FAULTS_IN_A_ROW = 5


@dataclass(frozen=True, slots=True)
class AskedModel:
    """Whom a stage calls, in the words of the person who configured it."""

    provider: str
    base_url: str
    model: str
    key_variable: str
    url_variable: str
    written_in: str | None = None
    """The file that names its endpoint, and the place in it; None of the built-in ones."""

    def __post_init__(self) -> None:
        redact_fields(self, "base_url")  # some gateways take a key in their path


class Breaker(Generic[Result]):
    """Holds back results that end with an account fault until it is known whether they stand alone.

    Args:
        endpoint: for the error's words.
        proven: whether something was answered before, such as in the part of the stage that is resumed: then even a
            remainder of nothing but faults is a matter of its items.
    """

    def __init__(self, endpoint: AskedModel, *, proven: bool = False) -> None:
        self._endpoint = endpoint
        self._proven = proven
        self._held: list[Result] = []
        self.error: EvalPipelineError | None = None
        self._last_fault: Attempt | None = None

    def take(self, result: Result, attempt: Attempt) -> list[Result]:
        """Take in one final result; return those that may be recorded now."""
        if attempt.account_fault is None:
            self._proven = True
            released, self._held = [*self._held, result], []
            return released
        self._last_fault = attempt
        self._held.append(result)
        if len(self._held) >= FAULTS_IN_A_ROW:
            self.error = self.error or explain(attempt, self._endpoint)
        return []

    def end(self) -> list[Result]:
        """Return what is still held back and may be recorded, now that nothing follows."""
        if self._last_fault is not None and self._held and not self._proven:
            self.error = self.error or explain(self._last_fault, self._endpoint)
        if self.error is not None:
            return []
        released, self._held = self._held, []
        return released


def explain(attempt: Attempt, endpoint: AskedModel) -> EvalPipelineError:  # noqa: PLR0911 - one a fault
    """Say what is wrong with the account and what to do."""
    if attempt.account_fault is None or attempt.error is None:
        raise ValueError(f"this attempt shows no account fault: {attempt.outcome}")
    words = attempt.error.message
    match attempt.account_fault:
        case AccountFault.AUTH:
            return UsageError(
                f"{endpoint.provider} at {endpoint.base_url} refused the key: {words}",
                code="provider_auth_failed",
                hint=f"check {endpoint.key_variable} and what the key may do, then eval-pipeline run retry",
            )
        case AccountFault.UNREACHABLE:
            return UnavailableError(
                f"{endpoint.provider} cannot be reached: {words}",
                code="provider_unreachable",
                hint=f"check {endpoint.url_variable} and the network, then eval-pipeline run retry",
            )
        case AccountFault.NOT_AN_API if attempt.error.code == REDIRECTED:
            return UsageError(
                f"{endpoint.provider}: {words}",
                code=REDIRECTED,
                hint=f"set {endpoint.url_variable} to the address that it points to, if you trust it",
            )
        case AccountFault.NOT_AN_API:
            return UsageError(
                f"{endpoint.base_url} does not answer as {endpoint.provider} does: {words}",
                code="provider_not_an_api",
                hint=f"check {endpoint.url_variable}; for most servers it ends in /v1",
            )
        case AccountFault.OTHER_PROTOCOL:
            return UsageError(
                words,
                code="provider_other_protocol",
                hint=where_chat_is_said(endpoint),
            )
        case AccountFault.MODEL_NOT_FOUND:
            return UsageError(
                f"{endpoint.provider} at {endpoint.base_url} does not know model '{endpoint.model}': {words}",
                code="model_not_found",
                hint="check the model's name and whether the key may use it",
            )
        case AccountFault.QUOTA:
            return UnavailableError(
                f"the account at {endpoint.provider} has no credit left: {words}",
                code="provider_quota_exhausted",
                hint="check plan and billing of the account, then eval-pipeline run retry",
            )
        case AccountFault.TOLD_TO_WAIT:
            return UnavailableError(
                f"{endpoint.provider} at {endpoint.base_url} wants to be left alone: {words}",
                code="provider_told_to_wait",
                hint="what was answered is kept; when that time is over: eval-pipeline run retry",
            )
        case _:
            assert_never(attempt.account_fault)


def where_chat_is_said(endpoint: AskedModel) -> str:
    """Name the line that makes an endpoint one of chat completions; a run keeps the protocol that it was made with."""
    if endpoint.written_in is not None:
        return f"write protocol: openai_chat for {endpoint.written_in}, then start a run under a new name"
    return (
        "say so in the file that EVAL_ENDPOINTS_FILE names: endpoints: "
        f'{{NAME: {{protocol: openai_chat, base_url: "{endpoint.base_url}", key: ${{{endpoint.key_variable}}}}}}}, '
        f"then start a run with --model NAME/{endpoint.model}"
    )
