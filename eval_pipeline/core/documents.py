"""Names for what crosses a boundary untyped: JSON as it was read or is to be written, and rows of stored tables.

What stands in them is whatever a person, a provider or an earlier stage wrote. Whoever decides something takes it out
first, into a type of its own.
"""

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
"""A JSON object that is read."""
JsonDict = dict[str, Any]
"""A JSON object, or a row, while it is made."""
Row = Mapping[str, Any]
"""A row of a stored table that is read: its columns are those of the stage's schema."""
