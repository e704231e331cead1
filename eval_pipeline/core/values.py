"""Values that are made a million times a run: immutable for the type checker, cheap to make when it runs.

The initializer of a frozen dataclass sets every field through ``object.__setattr__``, which takes three times as long;
collecting a batch makes four values a line.
"""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value(cls: type[T]) -> type[T]:
    """Make a dataclass with slots, equality and a hash; assigning to a field is an error of the type check."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
