"""What belongs to a model and not to its answer: its thinking, and the tokens of its own vocabulary."""

import re

_THINKING = r"(?:think|thinking|thought|thoughts|reasoning|reflection|scratchpad|analysis)"
_LAST_END = re.compile(rf".*(?:</{_THINKING}>|\[/THINK\]|\u25c1/think\u25b7)", re.DOTALL | re.IGNORECASE)
_OPENED = re.compile(rf"\s*(?:<{_THINKING}>|\[THINK\]|\u25c1think\u25b7).*", re.DOTALL | re.IGNORECASE)
_FINAL_CHANNEL = re.compile(r".*<\|channel\|>\s*final\s*<\|message\|>", re.DOTALL)
_LANGUAGE_BEFORE = re.compile(r"(?:language\s+[^\W\d_]+(?:[ -][^\W\d_]+)?\s*)?<asr_text>\s*", re.IGNORECASE)
_TOKEN = re.compile(r"<\|[^<>|]{0,60}\|>|</?asr_text>|</?s>|<(?:pad|bos|eos|sos)>", re.IGNORECASE)
_SPACES = re.compile(r"[ \t]{2,}")


def without_thinking(text: str) -> str | None:
    """Return what follows the last end of thinking; None where nobody thought. Thinking that has no end is all."""
    ended = _FINAL_CHANNEL.match(text) or _LAST_END.match(text)
    if ended is not None:
        return text[ended.end() :]
    return "" if _OPENED.fullmatch(text) else None


def without_tokens(text: str) -> str | None:
    """Return the text without the tokens of a model, such as ``<|hi|>``, and the language that one names before it."""
    bare = _TOKEN.sub(" ", _LANGUAGE_BEFORE.sub("", text))
    return None if bare == text else _SPACES.sub(" ", bare)
