import re
from pathlib import Path

import pytest

from eval_pipeline.stt_eval.language.normalisation import NORMALISER_VERSIONS, Level, normalise

PAGE = (Path(__file__).parents[3] / "docs" / "speech-normalisation.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| `([^`|]+)` \| `([^`|]+)` \| `([^`|]+)` \|$", PAGE, re.MULTILINE)


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) == len(re.findall(r"^\| `", PAGE.partition("## Examples")[2], re.MULTILINE)) >= 9


@pytest.mark.parametrize(("written", "standard", "lenient"), EXAMPLES)
def test_what_the_page_shows_is_what_comes_out(written: str, standard: str, lenient: str) -> None:
    assert normalise(written, Level.STANDARD) == normalise(standard, Level.VERBATIM)
    assert normalise(written, Level.LENIENT) == normalise(lenient, Level.VERBATIM)


def test_the_page_names_the_version_of_the_headline() -> None:
    assert f"(`{NORMALISER_VERSIONS[Level.STANDARD]}`)" in PAGE
