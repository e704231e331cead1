"""What a reference transcript may be; its text is kept character for character, scoring normalises.

A cell that holds a list of texts or segments as data is read as what was said: its texts, one after the other.
"""

from eval_pipeline.stt_eval.language.alternatives import parse_reference
from eval_pipeline.stt_eval.language.listed_texts import listed_text
from eval_pipeline.stt_eval.language.markers import is_unheard_bare, says_not_understood, without_markers
from eval_pipeline.stt_eval.language.normalisation import Level, normalise


def reference_text(cell: str) -> str:
    """Return the reference that a cell holds; a text is itself.

    >>> reference_text('["पहला भाग", "दूसरा भाग"]'), reference_text("[हँसी] नमस्ते")
    ('पहला भाग दूसरा भाग', '[हँसी] नमस्ते')
    """
    listed = listed_text(cell)
    return cell if listed is None else listed


def check_reference(text: str) -> None:
    """Raise ``malformed_alternatives`` for braces that are no alternatives; every other text can be scored against."""
    parse_reference(text)


def is_silence(reference: str) -> bool:
    """Tell whether nothing is expected to be heard.

    >>> is_silence(" "), is_silence("?")
    (True, False)
    """
    return not reference.strip()


def holds_no_word(reference: str) -> bool:
    """Tell whether a reference that is not blank has nothing that is scored: silence, or what nobody understood.

    >>> holds_no_word("..."), holds_no_word("[inaudible]"), holds_no_word(" "), holds_no_word("{ uh / @ }")
    (True, True, False, False)
    """
    return not is_silence(reference) and not normalise(without_markers(reference), Level.STANDARD)


def is_not_understood(reference: str) -> bool:
    """Tell whether a reference only says that something was said which nobody could write down.

    No transcript can be scored against it: whatever a model heard may be right.

    >>> is_not_understood("[अस्पष्ट]"), is_not_understood("[noise]"), is_not_understood("[inaudible] yes")
    (True, False, False)
    """
    return is_unheard_bare(reference) or (holds_no_word(reference) and says_not_understood(reference))
