"""Calls about files and batches of Gemini: what its errors mean for what may be done next.

Without Google's SDK: its models drop a batch's ``error`` and break on states that they do not know.
"""

from typing import TYPE_CHECKING, Final

from eval_pipeline.core.batches import CallFault
from eval_pipeline.core.outcomes import AccountFault
from eval_pipeline.providers.account_calls import AccountCalls, Refusal
from eval_pipeline.providers.gemini.account import GeminiAccount
from eval_pipeline.providers.gemini.errors import GoogleError, QuotaLack, read_error

if TYPE_CHECKING:
    import httpx2

_HINTS: Final = {
    CallFault.ACCOUNT: "check {key}, {url} and the account's billing; nothing is lost",
    CallFault.GONE: "check that {key} and {url} name the account that it was made under",
}


class GeminiCalls(AccountCalls):
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
        account: GeminiAccount,
        *,
        timeout_s: float,
        transfer_timeout_s: float,
        key_words: str = "GEMINI_API_KEY",
        url_words: str = "GOOGLE_GEMINI_BASE_URL",
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
        self.account: GeminiAccount = account


def _judge(reply: "httpx2.Response") -> Refusal:
    error = read_error(reply.status_code, reply.content, reply.headers)
    words = f"HTTP {error.http_status}: {error.message}"
    return Refusal(fault_of(error), words, retry_after_s=error.retry_delay_s)


def fault_of(error: GoogleError) -> CallFault:
    """Say what an error means for what may be done next; the quota of a day comes back by itself, credit does not."""
    if error.http_status in {405, 501} or (error.http_status == 404 and error.status is None):  # noqa: PLR2004 - named so
        return CallFault.UNSUPPORTED
    if error.about_file or error.http_status == 404:  # noqa: PLR2004 - named so by HTTP
        return CallFault.GONE
    if error.lack is QuotaLack.CREDIT:
        return CallFault.ACCOUNT
    if error.throttled:
        return CallFault.BUSY
    if error.account_fault is AccountFault.AUTH:
        return CallFault.ACCOUNT
    passing = error.http_status >= 500 or error.http_status in {408, 409}  # noqa: PLR2004 - the same
    return CallFault.AMBIGUOUS if passing else CallFault.REFUSED
