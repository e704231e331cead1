"""The accounts of an endpoint: that of its key, and those of keys that were its own before.

What went out under a former key may show itself to that key alone; nothing new goes out under one.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from eval_pipeline.core.ports.batch_provider import BatchProvider
from eval_pipeline.wiring import models
from eval_pipeline.wiring.endpoint import Endpoint
from eval_pipeline.wiring.settings import Settings


@contextmanager
def open_accounts(
    endpoint: Endpoint, *, settings: Settings, to_look: bool = False
) -> Iterator[Sequence[BatchProvider]]:
    """Open all of them, the present one first; nothing is sent before one is used."""
    with ExitStack() as held:
        yield [
            held.enter_context(closing(models.open_batches(one, settings=settings, to_look=to_look)))
            for one in endpoint.by_keys()
        ]
