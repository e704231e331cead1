"""Languages as BCP-47 tags: spelling them one way, naming them for people, and how they are written.

A tag is what RFC 5646 calls well-formed, and its language must be one that ``language_table`` knows: a misspelled code
would go to the models as a hint and split the results by a language that nobody speaks.
"""

import re
from difflib import get_close_matches
from functools import cache
from typing import Literal

from eval_pipeline.core.errors import UsageError
from eval_pipeline.stt_eval.language.language_table import (
    FIRST_SCRIPTS_BY_REGION,
    LANGUAGES,
    RIGHT_TO_LEFT_SCRIPTS,
    SYNONYMS,
    UNSEGMENTED,
)

Direction = Literal["ltr", "rtl", "auto"]
"""As the ``dir`` attribute of HTML has it; ``auto`` where the language does not tell."""

_TAG = re.compile(
    r"""(?P<language>[a-z]{2,8})
        (?:-(?P<extension>[a-z]{3}))?       # zh-yue, an older spelling of yue
        (?:-(?P<script>[a-z]{4}))?
        (?:-(?P<region>[a-z]{2}|[0-9]{3}))?
        (?P<rest>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*     # variants
                 (?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*          # extensions
                 (?:-x(?:-[a-z0-9]{1,8})+)?)                  # private use""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_LONGEST_SHOWN = 60
_LATIN = "Latn"
_EXTENDED = frozenset({"zh", "ar"})
_NOT_ONE_LANGUAGE = frozenset({"und", "mul", "zxx"})
UNSPACED_SCRIPTS = frozenset({"Hani", "Hira", "Kana", "Bopo", "Thai", "Laoo", "Mymr", "Khmr", "Tibt", "Yiii"})
"""Scripts whose languages put no spaces between words."""
_LOCAL_USE = re.compile("q[a-t][a-z]")
"""ISO 639-2 leaves qaa to qtz to whoever needs a code that is not there."""


def language_code(value: str) -> str:
    """Return the canonical spelling of a BCP-47 tag, as in ``hi-Deva-IN``; an unknown language is an error.

    Lenient in form: any case, ``_`` for ``-``, spaces around, the three-letter code of a language that has two letters.
    """
    tag = _TAG.fullmatch(value.strip().replace("_", "-"))
    if tag is None or (tag["extension"] and tag["language"].lower() not in _EXTENDED):
        raise _unknown(value)
    language = (tag["extension"] or tag["language"]).lower()
    language = SYNONYMS.get(language, language)
    if language not in LANGUAGES and not _LOCAL_USE.fullmatch(language):
        raise _unknown(value)
    script, region = tag["script"], tag["region"]
    parts = [language, script and script.title(), region and region.upper()]
    return "-".join(part for part in parts if part) + tag["rest"].lower()


def language_name(code: str) -> str:
    """Return a language's English name, with script and region where the tag has them: ``English (IN)``."""
    language, _, rest = code.partition("-")
    name = LANGUAGES[language][0] if language in LANGUAGES else language
    return f"{name} ({rest})" if rest else name


def one_language(code: str | None) -> str | None:
    """Return the tag if it names one language: what is unknown, several or none is nothing to tell a model.

    >>> one_language("hi-IN"), one_language("und"), one_language("mul-Deva"), one_language(None)
    ('hi-IN', None, None, None)
    """
    return None if code is None or primary_subtag(code) in _NOT_ONE_LANGUAGE else code


def scripts(code: str) -> tuple[str, ...]:
    """Return the scripts (ISO 15924) that a language is written in, the usual one first; none where it is not known."""
    tag = _TAG.fullmatch(code.replace("_", "-"))
    if tag is None:
        return ()
    if tag["script"]:
        return (tag["script"].title(),)
    language = primary_subtag(code)
    known = tuple(LANGUAGES[language][1].split()) if language in LANGUAGES else ()
    first = FIRST_SCRIPTS_BY_REGION.get(f"{language}-{(tag['region'] or '').upper()}")
    return known if first is None else (first, *(script for script in known if script != first))


def direction(code: str) -> Direction:
    """Return in which direction a language is written."""
    known = scripts(code)
    if not known:
        return "auto"
    return "rtl" if known[0] in RIGHT_TO_LEFT_SCRIPTS else "ltr"


def unsegmented(language: str | None) -> bool:
    """Tell whether a language is written without spaces between words, so that words are no measure of it.

    Of a language that is not known its script tells (``und-Thai``, as ``unspaced.written_language`` has it).
    """
    if language is not None and primary_subtag(language) in _NOT_ONE_LANGUAGE:
        return any(script in UNSPACED_SCRIPTS for script in scripts(language)[:1])
    if language is None or primary_subtag(language) not in UNSEGMENTED:
        return False
    return scripts(language)[:1] != (_LATIN,)


@cache
def primary_subtag(code: str) -> str:
    """Return the language of a tag, in lower case."""
    return code.replace("_", "-").partition("-")[0].lower()


def _unknown(value: str) -> UsageError:
    shown = value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…"
    close = _close_matches(value)
    guess = f"did you mean {' or '.join(close)}? " if close else ""
    return UsageError(
        f"{shown!r} is no language code that is known here",
        code="unknown_language",
        hint=f"{guess}give a BCP-47 code such as hi, ta or en-IN; und where the language is not known, mul for several"
        " in one clip, a code from qaa to qtz for a language that has none here",
    )


def _close_matches(value: str) -> list[str]:
    """Return codes that look like the value, or whose language's name does."""
    names = {name.casefold(): code for code, (name, _) in LANGUAGES.items()}
    word = primary_subtag(value[:_LONGEST_SHOWN].strip())
    codes = [names[name] for name in get_close_matches(word, names, n=2, cutoff=0.75)]
    codes += get_close_matches(word, LANGUAGES, n=2, cutoff=0.75)
    return [f"{code} ({LANGUAGES[code][0]})" for code in dict.fromkeys(codes) if code not in _NOT_ONE_LANGUAGE][:3]
