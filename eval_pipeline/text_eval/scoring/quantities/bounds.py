"""Words that make a number a bound: under 5, at least 18, 8 लाख से कम. Told is the side alone, not if the end counts."""

from eval_pipeline.text_eval.scoring.quantities.cursor import Tokens
from eval_pipeline.text_eval.scoring.quantities.folding import folded_words
from eval_pipeline.text_eval.scoring.quantities.kinds import Bound

_SIGNS: dict[str, Bound] = {"<": "below", "≤": "below", ">": "above", "≥": "above"}
_BELOW = folded_words("below under upto maximum max less fewer lesser अधिकतम सर्वाधिक")
_ABOVE = folded_words("above over exceeding minimum min more greater न्यूनतम कम_से_कम किमान")
_COMPARED = folded_words("less fewer lesser more greater")
"""Only with "than" behind them."""
_BEHIND_BELOW = folded_words("कम नीचे पेक्षा_कमी কম ઓછા ઓછું ਘੱਟ کم")
_BEHIND_ABOVE = folded_words("अधिक ज्यादा ज़्यादा ऊपर जास्त বেশি વધુ વધારે ਵੱਧ زیادہ")
_THAN = folded_words("से पेक्षा থেকে চেয়ে থেকেও થી ਤੋਂ سے")
_NOT = frozenset({"no", "not"})
_TURNED: dict[Bound, Bound] = {"below": "above", "above": "below"}


def read_bound(tokens: Tokens, begin: int, end: int) -> Bound | None:
    """Return on which side of the amount between the tokens the answer lies, where words or signs say so."""
    return _sign(tokens, begin) or _before(tokens, begin) or _behind(tokens, end)


def _sign(tokens: Tokens, begin: int) -> Bound | None:
    token = tokens.at(begin - 1)
    if token.text == "=" and token.glued:
        token = tokens.at(begin - 2)
    return _SIGNS.get(token.text) if token.kind == "sign" else None


def _before(tokens: Tokens, begin: int) -> Bound | None:
    """Read less than 5, not more than 5, at least 5, at most 5, up to 5, under 5, कम से कम 5."""
    last, before = tokens.word(begin - 1), tokens.word(begin - 2)
    if before == "at" and last in {"least", "most"}:
        return "above" if last == "least" else "below"
    if (before, last) == ("up", "to"):
        return "below"
    if last == "कम" and before in _THAN and tokens.word(begin - 3) == "कम":
        return "above"
    at = begin - 1
    if last == "than":
        at = begin - 2
    elif last in _COMPARED:
        return None
    word = tokens.word(at)
    bound: Bound | None = "below" if word in _BELOW else "above" if word in _ABOVE else None
    return _TURNED[bound] if bound is not None and tokens.word(at - 1) in _NOT else bound


def _behind(tokens: Tokens, end: int) -> Bound | None:
    """Read 8 लाख से कम, 5 or more, 18 and above."""
    first, second = tokens.word(end), tokens.word(end + 1)
    if first in _THAN:
        return "below" if second in _BEHIND_BELOW else "above" if second in _BEHIND_ABOVE else None
    if first in {"or", "and", "&"}:
        return {"more": "above", "above": "above", "less": "below", "fewer": "below", "below": "below"}.get(second)  # type: ignore[return-value]  # literals
    return None
