"""What a reference transcript may be; its text is kept character for character, scoring normalises."""


def check_reference(text: str) -> None:
    """Raise ``EvalPipelineError`` when a text cannot be scored against; every text can."""
    del text


def is_silence(reference: str) -> bool:
    """Tell whether nothing is expected to be heard.

    >>> is_silence(" "), is_silence("?")
    (True, False)
    """
    return not reference.strip()
