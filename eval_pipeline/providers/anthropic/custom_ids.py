"""The ids of a batch's requests: each carries the submission key of its batch, and whose request it is.

The API keeps no name and no metadata of a batch. Its requests' ids come back with its results, so that they alone can
tell whose batch it was. Letters, digits, ``-`` and ``_``, 64 of them: 43 for the key, 20 for the item's digest.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from hashlib import sha256
from typing import Final

_KEY_CHARACTERS: Final = 43
_DIGEST_BYTES: Final = 15
_LENGTH: Final = 64
_PADDING: Final = "="


def custom_id(key: str, item_id: str) -> str:
    """Return the id under which an item's request goes out in one submission.

    >>> custom_id("00" * 32, "q000001#1")
    'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-Oc6IMWh-FOl-7IKlf4mm'
    """
    digest = sha256(item_id.encode("utf-8", "surrogatepass")).digest()[:_DIGEST_BYTES]
    return f"{_encode(bytes.fromhex(key))}-{_encode(digest)}"


def key_in(given: str) -> str | None:
    """Return the submission key in an id; None for ids of others."""
    if len(given) != _LENGTH or given[_KEY_CHARACTERS] != "-":
        return None
    try:
        key = urlsafe_b64decode(given[:_KEY_CHARACTERS] + _PADDING)
    except (Error, ValueError):
        return None
    return key.hex()


def _encode(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip(_PADDING)
