"""What a reference transcript may be; its text is kept character for character, scoring normalises."""

from eval_pipeline.stt_eval.language.alternatives import parse_reference


def check_reference(text: str) -> None:
    """Raise ``malformed_alternatives`` for braces that are no alternatives; every other text can be scored against."""
    parse_reference(text)


def is_silence(reference: str) -> bool:
    """Tell whether nothing is expected to be heard.

    >>> is_silence(" "), is_silence("?")
    (True, False)
    """
    return not reference.strip()
