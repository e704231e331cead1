"""What a provider's account tells those who call it: where, and with which headers."""

from typing import Protocol


class Account(Protocol):
    """A key at a server."""

    @property
    def base_url(self) -> str:
        """The address that was given."""
        ...

    @property
    def digest(self) -> str:
        """A name that gives nothing away: files and batches of one account do not exist for another."""
        ...

    def url(self, path: str) -> str:
        """Return the address of a resource."""
        ...

    def headers(self) -> dict[str, str]:
        """Return the key, and what else every call carries."""
        ...
