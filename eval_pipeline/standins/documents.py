"""Names for what a stand-in reads and answers untyped: JSON objects.

What stands in them is whatever a client sent; a handler takes out what it understands, and refuses the rest.
"""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
"""A JSON object that is read."""
JsonDict = dict[str, Any]
"""A JSON object while it is made."""
