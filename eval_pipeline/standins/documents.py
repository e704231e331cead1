"""Names for what a stand-in reads and answers untyped: JSON objects.

What stands in them is whatever a client sent; a handler takes out what it understands, and refuses the rest.
"""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
"""A JSON object that is read."""
JsonDict = dict[str, Any]
"""A JSON object while it is made."""


def at(document: object, *path: str) -> object:
    """Return what lies at the end of a path of names; None where there is nothing."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document
