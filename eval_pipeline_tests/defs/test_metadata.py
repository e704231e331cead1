"""What the Dagster UI shows of a stage."""

import json
import re

from eval_pipeline.defs.metadata import facts_of

SCORE = {"name": "f1", "avg": 1 / 3, "ci_low": 0.1 + 0.2, "ci_high": None, "total_pairs": 3}


def test_no_number_has_more_digits_than_a_person_reads_however_deep_it_lies() -> None:
    summary = {"share": 2 / 3, "latency_s": {"p50": 0.17554154000026756}, "cost": None, "summary_scores": [SCORE]}

    shown = {name: getattr(fact, "value", fact) for name, fact in facts_of(summary).items()}

    assert shown["latency_s"] == {"p50": 0.175542}
    assert not re.search(r"\.\d{7}", json.dumps(shown)), shown
