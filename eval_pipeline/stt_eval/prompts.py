"""What a model that takes instructions is told; part of a run's identity."""

from eval_pipeline.core.configuration import invalid_config
from eval_pipeline.stt_eval.language.languages import language_name, one_language

PROMPT_VERSION = "transcribe-1"
DEFAULT_PROMPT = (
    "Transcribe the speech in this recording word for word.{language} "
    "Write every word as it is spoken, in the native script of its language; do not translate, correct, summarise or "
    "add anything. If nobody speaks, answer with nothing at all. Answer with the transcript alone."
)
LANGUAGE_FIELD = "{language}"
MAX_PROMPT_CHARACTERS = 20_000


def choose_prompt(given: str | None) -> tuple[str, str]:
    """Return a run's prompt and what its version is called, or raise for one that says nothing."""
    if given is None:
        return DEFAULT_PROMPT, PROMPT_VERSION
    if not given.strip():
        raise invalid_config("the prompt is blank", "leave it out for the default one")
    if len(given) > MAX_PROMPT_CHARACTERS:
        raise invalid_config(
            f"the prompt has {len(given):,} characters", f"give at most {MAX_PROMPT_CHARACTERS:,} of them"
        )
    return given, "own"


def prompt_for(prompt: str, *, language: str | None) -> str:
    """Fill in what is known of a sample's language; without it the model finds out.

    >>> prompt_for("Transcribe.{language} Text only.", language="hi")
    'Transcribe. The language is Hindi (hi). Text only.'
    >>> prompt_for("Transcribe.{language} Text only.", language=None)
    'Transcribe. Text only.'
    """
    known = one_language(language)
    hint = "" if known is None else f" The language is {language_name(known)} ({known})."
    return prompt.replace(LANGUAGE_FIELD, hint)
