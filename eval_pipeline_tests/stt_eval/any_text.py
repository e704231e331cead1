"""Random text of the scripts that speech evaluation meets, with the characters that break normalisers."""

from hypothesis import settings
from hypothesis import strategies as st

repeatable = settings(deadline=None, derandomize=True, database=None, max_examples=60)

BLOCKS = {
    "Latin": (0x0020, 0x024F),
    "Greek": (0x0370, 0x03FF),
    "extended Greek": (0x1F00, 0x1FFF),
    "Hebrew": (0x0590, 0x05FF),
    "Arabic": (0x0600, 0x06FF),
    "Devanagari": (0x0900, 0x097F),
    "Bengali": (0x0980, 0x09FF),
    "Gurmukhi": (0x0A00, 0x0A7F),
    "Gujarati": (0x0A80, 0x0AFF),
    "Oriya": (0x0B00, 0x0B7F),
    "Tamil": (0x0B80, 0x0BFF),
    "Telugu": (0x0C00, 0x0C7F),
    "Kannada": (0x0C80, 0x0CFF),
    "Malayalam": (0x0D00, 0x0D7F),
    "Sinhala": (0x0D80, 0x0DFF),
    "Thai": (0x0E00, 0x0E7F),
    "Hangul": (0x1100, 0x11FF),
    "CJK": (0x3000, 0x30FF),
    "emoji": (0x1F300, 0x1F64F),
}
SPECIAL = (
    " \t\n\u00a0\u2028\u200b\u200c\u200d\u200e\u202b\ufeff\u00ad\ufe0f\u034f\u20e3"  # unseen
    "\u0300\u0301\u0307\u0308\u0327\u0338\u0345\u093c\u094d"  # marks that compose
    "\u0130\u0131\u00df\u1e9e\u03a3\u03c2\u212a\u226e\u1fed"  # letters and signs with two forms
    "<>[](){}|/!.,'\"\u2019%\u066a\u20b9$=+-_019\u0967\u0660\u066c"
)


def text_of(block: str) -> st.SearchStrategy[str]:
    """Text of one block, mixed with special characters."""
    first, last = BLOCKS[block]
    letters = st.characters(min_codepoint=first, max_codepoint=last)
    return st.text(letters | letters | st.sampled_from(SPECIAL), max_size=30)


any_unicode = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(SPECIAL), max_size=30)
any_block = st.sampled_from(sorted(BLOCKS)).flatmap(text_of)
mixed = st.lists(any_block | any_unicode, max_size=3).map("".join)
any_text = any_block | any_unicode | mixed
