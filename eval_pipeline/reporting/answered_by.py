"""Columns of every export that say of an address in which protocol and under which account the run asked there."""

from collections.abc import Iterator
from typing import Final

import pyarrow as pa

from eval_pipeline.core.endpoints import Endpoints

FIELDS: Final = (pa.field("endpoint_protocol", pa.string()), pa.field("endpoint_account", pa.string()))


class AnsweredBy:
    """The endpoints of a run by their addresses.

    Args:
        endpoints: as the run was specified. Another address answered only where somebody accepted it: of that one
            nobody wrote down more than the address.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._known: dict[str, set[tuple[str, str | None]]] = {}
        for one in endpoints.values():
            self._known.setdefault(one.base_url.rstrip("/"), set()).add((str(one.protocol), one.account))

    def values(self, address: str | None) -> Iterator[str | None]:
        """Yield a value for each of ``FIELDS``; None where nobody answered, or two endpoints share the address."""
        known = self._known.get((address or "").rstrip("/"), set())
        for place in range(len(FIELDS)):
            said = {one[place] for one in known}
            yield said.pop() if len(said) == 1 else None
