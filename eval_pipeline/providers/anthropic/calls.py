"""Calls about Anthropic's batches: what its errors mean for what may be done next."""

from typing import TYPE_CHECKING, Final

from eval_pipeline.core.batches import CallFault
from eval_pipeline.core.outcomes import AccountFault
from eval_pipeline.providers.account_calls import AccountCalls, Refusal
from eval_pipeline.providers.anthropic.account import AnthropicAccount
from eval_pipeline.providers.anthropic.errors import OVERLOADED, ClaudeError, read_error

if TYPE_CHECKING:
    import httpx2

_HINTS: Final = {
    CallFault.ACCOUNT: "check {key}, {url} and the account's credit; nothing is lost meanwhile",
    CallFault.GONE: "check that {key} and {url} name the workspace that the batch was made in",
}


class AnthropicCalls(AccountCalls):
    """A client of one account; threads share it.

    Args:
        account: key and address.
        timeout_s: for one call.
        transfer_timeout_s: between two pieces of a file on its way.
        key_words: what gives the key, for messages.
        url_words: what gives the address.
    """

    def __init__(
        self,
        account: AnthropicAccount,
        *,
        timeout_s: float,
        transfer_timeout_s: float,
        key_words: str,
        url_words: str,
    ) -> None:
        super().__init__(
            account,
            judge=_judge,
            hints=_HINTS,
            timeout_s=timeout_s,
            transfer_timeout_s=transfer_timeout_s,
            key_words=key_words,
            url_words=url_words,
        )


def _judge(reply: "httpx2.Response") -> Refusal:
    error = read_error(reply.status_code, reply.content, reply.headers)
    return Refusal(fault_of(error), f"HTTP {error.http_status}: {error.message}", retry_after_s=error.retry_after_s)


def fault_of(error: ClaudeError) -> CallFault:
    """Say what an error means for what may be done next; ``overloaded_error`` says that nothing was begun."""
    if error.http_status in {405, 501} or (error.http_status == 404 and error.type is None):  # noqa: PLR2004 - named so
        return CallFault.UNSUPPORTED
    if error.http_status == 404:  # noqa: PLR2004 - named so by HTTP
        return CallFault.GONE
    if error.account_fault in {AccountFault.AUTH, AccountFault.QUOTA}:
        return CallFault.ACCOUNT
    if error.http_status == 429 or (error.http_status == OVERLOADED and error.type is not None):  # noqa: PLR2004 - the same
        return CallFault.BUSY
    passing = error.http_status >= 500 or error.http_status in {408, 409}  # noqa: PLR2004 - the same
    return CallFault.AMBIGUOUS if passing else CallFault.REFUSED
