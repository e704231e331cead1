"""Markers in transcripts that are no speech: ``<unk>``, ``<background noise>``, ``[laughter]``, ``<|hi|>``.

Round brackets are none: people write spoken words in them.
"""

import re
import unicodedata

LONGEST_MARKER = 100
"""A bracket that closes later than this many characters is no marker: text is kept rather than lost."""
_MARKER = re.compile(
    rf"""(   \[ [^\[\]]{{1,{LONGEST_MARKER}}} \]
           | < [/|!]{{0,2}} [^\W\d_] [^<>]{{0,{LONGEST_MARKER}}} >    # begins with a letter: "3 < 5 and 6 > 2" is none
           | <\| [^<>]{{1,{LONGEST_MARKER}}} \|>                      # as in <|0.00|>
         )""",
    re.VERBOSE,
)


def split_at_markers(text: str) -> list[str]:
    """Return text and markers by turns, text first and last; a text without markers is the only part.

    The parts of a text with brackets are NFC: a ``<`` can be half of another sign.
    """
    if "<" not in text and "[" not in text:
        return [text]
    return _MARKER.split(unicodedata.normalize("NFC", text))
