import re
from html import unescape

import pytest

from eval_pipeline.stt_eval.report.diff import diff_html
from eval_pipeline.stt_eval.report.diff_parts import parts


@pytest.mark.parametrize(
    ("reference", "transcript", "drawn"),
    [
        ("₹1,00,000 दो", "Rs. 1,00,000 दो", "[₹→Rs.] 1,00,000 दो"),
        ("Rs. 1,00,000", "₹1,00,000", "[Rs.→₹] 1,00,000"),
        ("50% yes", "50 yes", "50 [\u2212%\u2212] yes"),
        ("don't go", "don't go", "don't go"),
    ],
)
def test_only_the_part_of_a_word_that_is_wrong_is_marked(reference: str, transcript: str, drawn: str) -> None:
    found = re.sub(r"<span class=\"aloud\".*?</span>", "", str(diff_html(reference, transcript, language="hi")))

    assert unescape(re.sub(r"<[^>]*>", "", found)) == drawn


def test_where_the_parts_meet_cannot_always_be_told() -> None:
    assert parts("ab", ["x", "y"], language=None) == ["x", "y"]
