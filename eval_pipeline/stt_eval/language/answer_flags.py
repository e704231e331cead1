"""What is suspicious about a transcript: it loops, or is in the wrong script.

Flags point people to answers to look at. They never change a score.
"""

from collections.abc import Sequence

from eval_pipeline.stt_eval.language.languages import scripts
from eval_pipeline.stt_eval.language.letters import count_scripts

LOOP_REPETITIONS = 5
LOOP_TOKENS = 20
LONGEST_LOOPED_PHRASE = 50
LONGEST_SPOKEN_WORD = 40
"""Letters of a word behind which a repetition is no laughter any more."""


def loops(tokens: Sequence[str]) -> bool:
    """Tell whether a model got stuck: a phrase at least 5 times back to back, and that for at least 20 tokens.

    People say "no no no no", and sing a line four times; neither is reported. Phrases are of at most 50 tokens. For
    languages without spaces give characters.
    """
    if len(tokens) < LOOP_TOKENS or len(tokens) - len(set(tokens)) < LOOP_TOKENS - LOOP_TOKENS // LOOP_REPETITIONS:
        return False
    longest = min(LONGEST_LOOPED_PHRASE, len(tokens) // LOOP_REPETITIONS)
    return any(_repeats(tokens, period=period) for period in range(1, longest + 1))


def word_loops(words: Sequence[str]) -> bool:
    """Tell whether a model got stuck within a word, as in texts that it writes without spaces."""
    return any(len(word) >= LONGEST_SPOKEN_WORD and loops(tuple(word)) for word in words)


def _repeats(tokens: Sequence[str], *, period: int) -> bool:
    """Tell whether a phrase of this length is repeated often and long enough, anywhere."""
    needed = max(LOOP_TOKENS, LOOP_REPETITIONS * period) - period
    same = 0
    for token, earlier in zip(tokens[period:], tokens, strict=False):
        same = same + 1 if token == earlier else 0
        if same >= needed:
            return True
    return False


def wrong_script(text: str, language: str) -> bool:
    """Tell whether more letters are of one foreign script than of those that the language is written in.

    Hindi in Latin or Arabic letters is wrong, Hindi with English words in it is not. A script in the tag decides
    (``hi-Latn``); of a language whose scripts are not known nothing is wrong.
    """
    expected = scripts(language)
    counts = count_scripts(text) if expected else {}
    own = sum(counts.get(script, 0) for script in expected)
    foreign = max((count for script, count in counts.items() if script not in expected), default=0)
    return foreign > own
