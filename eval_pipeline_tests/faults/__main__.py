"""Run every scenario in every column, and print the table: ``python -m eval_pipeline_tests.faults``."""

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from eval_pipeline_tests.faults.columns import COLUMNS
from eval_pipeline_tests.faults.laboratory import meets, opened
from eval_pipeline_tests.faults.scenarios import SCENARIOS


def main() -> int:
    """Try all cases; exit code 1 when one of them is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m eval_pipeline_tests.faults", description=__doc__)
    parser.add_argument("--column", action="append", default=[], help="only columns with this text in their name")
    parser.add_argument("--scenario", action="append", default=[], help="only scenarios with this text in their name")
    given = parser.parse_args()
    columns = [column for column in COLUMNS if not given.column or any(text in column.name for text in given.column)]
    held = tried = 0
    began_s = time.monotonic()
    with TemporaryDirectory(prefix="eval-pipeline-faults-") as folder:
        for number, column in enumerate(columns):
            home = Path(folder) / str(number)
            home.mkdir()
            with opened(home) as trial:
                for scenario in SCENARIOS:
                    wanted = not given.scenario or any(text in scenario.name for text in given.scenario)
                    if not meets(column, scenario) or not (wanted or scenario is SCENARIOS[0]):
                        continue
                    found = trial.faults_of(column, scenario)
                    tried += 1
                    held += not found
                    print(f"{'FELL' if found else 'held'} {column.name}: {scenario.name}", flush=True)
                    for words in found:
                        print(f"       {words}", flush=True)
    print(f"{held} of {tried} cases held, in {time.monotonic() - began_s:,.0f} s")
    return 0 if held == tried else 1


if __name__ == "__main__":
    sys.exit(main())
