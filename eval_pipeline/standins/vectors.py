"""Embeddings made of words: texts that share words point in similar directions.

A text's vector is the sum of its words' vectors, at unit length. A word's vector has four entries
of +1 or -1, at places that the blake2b hash of the word names. Words are case-folded (NFKC) runs of
anything but white space, punctuation and symbols; combining marks stay with their letters, so that
Hindi words stay whole. Same text: cosine 1. No common word: near 0 (standard deviation about
1/sqrt(width)).
"""

import struct
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

SLOTS_PER_WORD = 4
_SIGN_BIT = 31
_TEXTS_AT_ONCE = 128  # bounds the float64 matrix to 3 MB at 3,072: faster than one of 50 MB

Vectors = npt.NDArray[np.float32]


class _Separators(dict[int, int | str | None]):
    """A table for ``str.translate`` that fills itself: separators become blanks, joiners nothing."""

    def __missing__(self, point: int) -> int | str | None:
        category = unicodedata.category(chr(point))
        kept = None if category == "Cf" else point
        self[point] = " " if category[0] in "PSZ" or category == "Cc" else kept
        return self[point]


_SEPARATORS = _Separators()


def words(text: str) -> list[str]:
    """Split a text into words; a text without any, such as a lone emoji, is one word."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return folded.translate(_SEPARATORS).split() or [text]


@lru_cache(maxsize=1 << 17)
def _slots(word: str) -> tuple[int, ...]:
    digest = blake2b(word.encode(), digest_size=4 * SLOTS_PER_WORD).digest()
    return struct.unpack(f"<{SLOTS_PER_WORD}I", digest)


def embed(texts: Sequence[str], width: int) -> Vectors:
    """Return one unit vector a text, as rows of float32."""
    vectors = np.empty((len(texts), width), dtype=np.float32)
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        chunk = texts[start : start + _TEXTS_AT_ONCE]
        vectors[start : start + len(chunk)] = _embed_chunk(chunk, width)
    return vectors


def _embed_chunk(texts: Sequence[str], width: int) -> npt.NDArray[np.float64]:
    hashes: list[int] = []
    ends: list[int] = []
    for text in texts:
        for word in words(text):
            hashes.extend(_slots(word))
        ends.append(len(hashes))
    slots = np.array(hashes, dtype=np.uint32)
    rows = np.repeat(np.arange(len(texts)), np.diff(ends, prepend=0))
    places = rows * width + (slots & ((1 << _SIGN_BIT) - 1)) % width
    signs = np.where(slots >> _SIGN_BIT, 1.0, -1.0)
    flat = np.bincount(places, weights=signs, minlength=len(texts) * width)
    sums = flat.reshape(-1, width).astype(np.float64, copy=False)
    sums[~sums.any(axis=1), 0] = 1.0  # words that cancel out still need a direction
    sums /= np.sqrt(np.einsum("ij,ij->i", sums, sums))[:, None]
    return sums
