"""How a text of an unknown language is written: one in a script without spaces is scored by characters all the same."""

from eval_pipeline.stt_eval.language.languages import UNSPACED_SCRIPTS, one_language
from eval_pipeline.stt_eval.language.letters import count_scripts


def written_language(language: str | None, text: str | None) -> str | None:
    """Return the language, or of an unknown one the script where most letters are of one without spaces.

    >>> written_language(None, "กินยาวันละสองครั้ง"), written_language("und", "दवा"), written_language("ja", "薬")
    ('und-Thai', 'und', 'ja')
    """
    if text is None or one_language(language) is not None:
        return language
    counts = count_scripts(text)
    unspaced = {script: count for script, count in counts.items() if script in UNSPACED_SCRIPTS}
    if 2 * sum(unspaced.values()) <= counts.total():
        return language
    return f"und-{max(unspaced, key=lambda script: unspaced[script])}"
