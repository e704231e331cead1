"""Years that answer no question but tell of when something was so: as of 2023, the 2011 census, 2011 में."""

import re
from collections.abc import Sequence
from dataclasses import replace

from eval_pipeline.text_eval.scoring.quantities.kinds import Found

_YEAR = re.compile("(?:19|20)[0-9]{2}")
_NEAR = 24
_BEFORE_YEAR = re.compile(
    r"(?:(?<!sult )(?<!sults )(?<!sulting )\b(?i:in|since|during|until|till|as of|year|fy|act|rules|code|policy|bill"
    r"|convention|scheme"
    r"|en|em|desde|depuis|seit|im jahr|mwaka)"
    r"|वर्ष|सन्?|अधिनियम|नियम|कानून"
    r"|\b[A-Z]{3,10}),?\s(?:the\s)?$"
)
_BEHIND_YEAR = re.compile(r"\s*(?:[.,;:)\]\n]|$)|\s(?:the|it|there|and|according|with|by|for|to|when|as|was|were)\b")
"""Behind a year there is no word that it counts: in 2000 villages."""
_AFTER_YEAR = re.compile(
    r"\s(?:census|report|survey|guidelines?|edition|data|estimates?|figures?|में(?!\sसे)|मध्ये|की जनगणना|সালে|માં|ਵਿੱਚ)(?!\w)"
)


def with_times(found: Sequence[Found], text: str) -> list[Found]:
    """Mark years that only tell of when something was so: as of 2023, the 2011 census, 2011 में."""
    return [replace(quantity, when=True) if _tells_when(quantity, text) else quantity for quantity in found]


def _tells_when(found: Found, text: str) -> bool:
    if not _YEAR.fullmatch(found.text):
        return False
    before, after = text[max(0, found.begin - _NEAR) : found.begin], text[found.end : found.end + _NEAR]
    is_dated = _BEFORE_YEAR.search(before) is not None and _BEHIND_YEAR.match(after) is not None
    return is_dated or _AFTER_YEAR.match(after) is not None
