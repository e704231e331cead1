"""What a failed call to Langfuse means to a person: the service is away, the keys are wrong, or the data is refused."""

from eval_pipeline.core.counting import counted
from eval_pipeline.core.errors import EvalPipelineError, UnavailableError, UsageError
from eval_pipeline.core.retry import is_transient
from eval_pipeline.core.tracing import DeliveryCounts
from eval_pipeline.providers.langfuse.connection import CallFailedError, Refusal

_AUTH_FAILED = frozenset({401, 403})
_REFUSED = frozenset({207, 400, 413, 422})
_AGAIN = "materialize traces again: what was delivered is replaced, not doubled"


def explained(failure: CallFailedError, *, base_url: str, delivered: DeliveryCounts) -> EvalPipelineError:
    """Say what happened, how often it was tried, what was delivered until then, and the remedy."""
    refusal = failure.refusal
    happened = f"{refusal.detail} after {failure.attempts} attempt{'s' * (failure.attempts > 1)}; {_told(delivered)}"
    if refusal.status in _AUTH_FAILED:
        return UsageError(
            f"Langfuse at {base_url} refused the keys: {happened}",
            code="langfuse_auth_failed",
            hint=f"check that both Langfuse keys belong to one project of this server, then {_AGAIN}",
        )
    if refusal.status in _REFUSED:
        return UsageError(
            f"Langfuse at {base_url} refused what it was sent: {happened}",
            code="langfuse_rejected",
            hint=f"the service names the reason; when it is mended, {_AGAIN}",
        )
    return UnavailableError(
        f"Langfuse at {base_url} did not take the traces: {happened}",
        code="langfuse_unavailable",
        hint=f"{_remedy(refusal)}, then {_AGAIN}",
    )


def _told(delivered: DeliveryCounts) -> str:
    return (
        f"delivered until then: {counted(delivered.dataset_items, 'dataset item')}, "
        f"{counted(delivered.traces, 'trace')},"
        f" {counted(delivered.scores, 'score')}"
    )


def _remedy(refusal: Refusal) -> str:
    if refusal.status is None:
        return "check that it is up and that the base URL is right"
    if is_transient(refusal.status, error_code=None):
        return "wait until it is well and below its rate limit"
    return "check that the base URL is the server's own, without a path of the API"
