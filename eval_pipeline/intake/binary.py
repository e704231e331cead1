"""Recognises files that are no text at all, so that the error can say what they are."""

import re
import unicodedata

HEAD_BYTES = 4096
_SIGNATURES = (
    (rb"%PDF-", "a PDF document"),
    (rb"PK[\x03\x05\x07][\x04\x06\x08].*?(xl/|\[Content_Types\].*xl/)", "an Excel workbook (.xlsx)"),
    (rb"PK[\x03\x05\x07][\x04\x06\x08]", "a ZIP archive, or an office document such as .xlsx"),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old office document such as .xls"),
    (rb"\x1f\x8b", "a gzip archive"),
    (rb"BZh[1-9]1AY&SY", "a bzip2 archive"),
    (rb"\xfd7zXZ\x00", "an xz archive"),
    (rb"\x28\xb5\x2f\xfd", "a zstd archive"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (rb"PAR1", "a Parquet file"),
    (rb"SQLite format 3\x00", "an SQLite database"),
    (rb"\x89PNG\r\n", "a PNG picture"),
    (rb"\xff\xd8\xff", "a JPEG picture"),
    (rb"(RIFF....WAVE|ID3|fLaC|OggS)", "a sound file"),
    (rb"\{\\rtf", "an RTF document"),
    (rb"\s*<(!doctype html|html)", "an HTML page"),
    (rb"\s*<\?xml", "an XML document"),
)
_KNOWN = tuple((re.compile(pattern, re.DOTALL | re.IGNORECASE), name) for pattern, name in _SIGNATURES)
_CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b") | {127})
_BLOCKS_OF_SCRIPTS = frozenset(range(0x03, 0x20))
"""High bytes of UTF-16 from Greek to Georgian, Indic scripts among them."""
_FEWEST_WIDE_LETTERS = 3
_MOST_BLOCKS = 2
_WIDE_SHARE = 0.6
_MAX_CONTROL_SHARE = 0.05  # a few NULs in a text are a matter of single rows; random bytes have 10 %


def looks_like(head: bytes) -> str | None:
    """Name what a file without a byte order mark is from its first bytes, or None when it may be text."""
    for pattern, name in _KNOWN:
        if pattern.match(head):
            return name
    if _half_is_nul(head):
        return "UTF-16 or UTF-32 text without a byte order mark"
    if _is_wide_text(head):
        return "UTF-16 text without a byte order mark"
    controls = len(head) - len(head.translate(None, _CONTROL_BYTES))
    return "binary data" if controls > _MAX_CONTROL_SHARE * len(head) else None


def _is_wide_text(head: bytes) -> bool:
    """Tell UTF-16 of other scripts: every second byte is the number of a script's block, most often a control byte.

    Such a text can be valid ASCII: Devanagari has a tab at every second place.
    """
    pairs = len(head) // 2
    if pairs < _FEWEST_WIDE_LETTERS or (len(head) % 2 and len(head) < HEAD_BYTES):
        return False
    for encoding, place in (("utf-16-le", 1), ("utf-16-be", 0)):
        high = head[place : 2 * pairs : 2]
        blocks = {byte for byte in high if byte in _BLOCKS_OF_SCRIPTS}
        if len(blocks) <= _MOST_BLOCKS and sum(byte in _BLOCKS_OF_SCRIPTS for byte in high) > _WIDE_SHARE * pairs:
            text = head[: 2 * pairs].decode(encoding, "replace")
            letters = sum(unicodedata.category(character)[0] in "LM" for character in text)
            return letters > _WIDE_SHARE * len(text)
    return False


def _half_is_nul(head: bytes) -> bool:
    """Tell UTF-16 and UTF-32 by the zero bytes that Latin letters have at every even, or every odd, place."""
    pairs = len(head) // 2
    return pairs > 0 and any(head[place::2].count(0) > 0.4 * pairs for place in (0, 1))
