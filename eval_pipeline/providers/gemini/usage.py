"""Token counts as Gemini reports them: thoughts are billed as output, audio has its own rate."""

from collections.abc import Mapping

from eval_pipeline.core.documents import Json
from eval_pipeline.core.outcomes import Usage
from eval_pipeline.providers.gemini.fields import count_in, pick


def read_usage(metadata: object) -> Usage | None:
    """Return the tokens of a ``usageMetadata``, or None when the provider reported none; it leaves out zeros."""
    if not isinstance(metadata, Mapping):
        return None
    given = (count_in(metadata, "promptTokenCount") or 0) + (count_in(metadata, "toolUsePromptTokenCount") or 0)
    thoughts = count_in(metadata, "thoughtsTokenCount") or 0
    total = count_in(metadata, "totalTokenCount")
    answer = count_in(metadata, "candidatesTokenCount")
    if answer is None:
        answer = max(0, (total or 0) - given - thoughts)
    if not (given or answer or thoughts):
        return None
    return Usage(
        input=given,
        cached_input=min(count_in(metadata, "cachedContentTokenCount") or 0, given),
        output=answer + thoughts,
        reasoning=thoughts,
        total=given + answer + thoughts if total is None else total,
        audio_input=min(_audio(metadata), given),
    )


def _audio(metadata: Json) -> int:
    details = pick(metadata, "promptTokensDetails")
    if not isinstance(details, list):
        return 0
    return sum(
        count_in(detail, "tokenCount") or 0
        for detail in details
        if isinstance(detail, Mapping) and str(detail.get("modality")).upper() == "AUDIO"
    )
