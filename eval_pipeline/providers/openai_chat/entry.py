"""What an endpoints file may say of a server that speaks Chat Completions, beside what all protocols have."""

from typing import Annotated, Literal

from pydantic import Field

from eval_pipeline.providers.entry import EndpointEntry


class ChatEntry(EndpointEntry):
    """A server of Chat Completions."""

    max_tokens_field: Annotated[
        Literal["max_completion_tokens", "max_tokens"] | None,
        Field(
            description="By which name the server knows max_output_tokens. Default: OpenAI and Azure are sent "
            "max_completion_tokens; others both names live, and max_completion_tokens in batches."
        ),
    ] = None
