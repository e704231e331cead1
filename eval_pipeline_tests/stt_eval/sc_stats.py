"""NIST's sc_stats on alignments of sclite or written by hand: the oracle of the matched pairs test.

An alignment is a string of one letter per position: C correct, S substituted, D deleted, I inserted. Systems are lists
of them, one per utterance. Needs Debian's ``sctk``; ``python -m eval_pipeline_tests.stt_eval.sc_stats`` writes
``mapsswe_vectors.json`` anew.
"""

import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from shutil import which
from tempfile import TemporaryDirectory
from typing import Final

from eval_pipeline.stt_eval.figures.error_places import ErrorLog, ErrorPlaces
from eval_pipeline.stt_eval.scoring.edits import AlignedToken, Edit

VECTORS: Final = Path(__file__).with_name("mapsswe_vectors.json")
INSTALLED: Final = which("sctk") is not None
EDITS: Final = {"C": Edit.HIT, "S": Edit.SUBSTITUTION, "D": Edit.DELETION, "I": Edit.INSERTION}
_POSITIONS: Final = {"C": 'C,"w","w"', "S": 'S,"w","x"', "D": 'D,"w",', "I": 'I,,"x"'}
_FIGURES: Final = re.compile(
    r"# segs: (\d+)\).*\(mean: *(\S+)\) \(std dev: *(\S+)\) \(Z Stat: *(\S+)\) \(Stat Diff: (Yes|No)\)"
)
_TOTALS: Final = re.compile(r"^Totals +\d+ +(\d+) +(\d+)", re.MULTILINE)
_P: Final = re.compile(r"\|  +first +\|[^|]*\|  (?:~|first|second) +(<?) *(\d\.\d+) +(\**) *\|")


@dataclass(frozen=True)
class Reported:
    """What sc_stats printed; numbers of three decimals."""

    segments: int
    first_errors: int
    second_errors: int
    mean: float
    std: float
    z: float
    differs: bool
    p: str
    stars: str


def locate_errors(alignments: Iterable[Sequence[AlignedToken] | None]) -> ErrorPlaces:
    """Locate the errors of one system; None is an utterance that it did not answer."""
    log = ErrorLog()
    for alignment in alignments:
        log.add(alignment)
    return log.places()


def aligned(codes: str) -> list[AlignedToken]:
    """Return the alignment that the letters stand for."""
    tokens, word, heard = [], 0, 0
    for code in codes:
        edit = EDITS[code]
        in_reference, in_hypothesis = edit is not Edit.INSERTION, edit is not Edit.DELETION
        tokens.append(
            AlignedToken(
                edit=edit,
                reference="w" if in_reference else None,
                hypothesis=("w" if edit is Edit.HIT else "x") if in_hypothesis else None,
                reference_index=word if in_reference else None,
                hypothesis_index=heard if in_hypothesis else None,
            )
        )
        word, heard = word + in_reference, heard + in_hypothesis
    return tokens


def random_pair(random: Random, *, utterances: int, error_rates: tuple[float, float]) -> tuple[list[str], list[str]]:
    """Return two systems' alignments to the same references."""
    lengths = [random.randint(0, 14) for _ in range(utterances)]
    first, second = ([_random_alignment(random, words, rate) for words in lengths] for rate in error_rates)
    return first, second


def _random_alignment(random: Random, words: int, rate: float) -> str:
    positions = []
    for _ in range(words):
        positions += ["I"] * (random.random() < rate / 3)
        positions.append(random.choice("SSD") if random.random() < rate else "C")
    return "".join([*positions, *["I"] * (random.random() < rate / 2)])


def report(first: Sequence[str], second: Sequence[str]) -> Reported:
    """Run sc_stats on the alignments of two systems."""
    return report_documents(_system("first", first), _system("second", second))


def report_documents(first: str, second: str) -> Reported:
    """Run sc_stats on what sclite wrote of two systems, entitled first and second."""
    document = first + second
    with TemporaryDirectory() as folder:
        verbose = _run(document, folder, "-v", output="x.stats.mapsswe")
        unified = _run(document, folder, "-u", output="x.stats.unified")
    figures, totals, p = _FIGURES.search(verbose), _TOTALS.search(verbose), _P.search(unified)
    if not (figures and totals and p):
        raise ValueError(f"sc_stats printed something else: {verbose}{unified}")
    return Reported(
        segments=int(figures[1]),
        first_errors=int(totals[1]),
        second_errors=int(totals[2]),
        mean=float(figures[2]),
        std=float(figures[3]),
        z=float(figures[4]),
        differs=figures[5] == "Yes",
        p=p[1] + p[2],
        stars=p[3],
    )


def _run(document: str, folder: str, option: str, *, output: str) -> str:
    command = ["sctk", "sc_stats", "-p", "-t", "mapsswe", option, "-n", "x"]
    subprocess.run(command, input=document.encode(), cwd=folder, check=True, capture_output=True, timeout=60)
    return (Path(folder) / output).read_text(encoding="utf-8")


def _system(title: str, codes: Sequence[str]) -> str:
    paths = "".join(
        f'<PATH id="(u_{number})" word_cnt="{len(code)}" sequence="{number}">\n'
        f"{':'.join(_POSITIONS[letter] for letter in code)}\n</PATH>\n"
        for number, code in enumerate(codes)
    )
    attributes = 'ref_fname="r" hyp_fname="h" creation_date="" format="2.4" frag_corr="FALSE" opt_del="FALSE"'
    return (
        f'<SYSTEM title="{title}" {attributes} weight_ali="FALSE" weight_filename="">\n'
        f'<SPEAKER id="u">\n{paths}</SPEAKER>\n</SYSTEM>\n'
    )


def cases() -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield what the vectors hold: edges written by hand, then chance with a seed."""
    yield "nothing but the second system's last words", ["CCC", "CCCC"], ["CCCI", "CCCCII"]
    yield "nothing but the first system's last words", ["CCCI", "CCCCII"], ["CCC", "CCCC"]
    yield "one correct word does not part segments", ["SCCCC", "CCCC"], ["CCSCC", "SCCS"]
    yield "two correct words part segments", ["SCCCC", "CCCC"], ["CCCSC", "SCCS"]
    yield "an insertion between two correct words", ["SCICC", "CCCC"], ["CCCS", "ICCCC"]
    yield "insertions at both ends", ["ICCCI", "CCCC"], ["CCC", "IICCCCI"]
    yield "equal errors in a segment count", ["SCC", "CCDCC", "SSCC"], ["DCC", "CCSCC", "SCCC"]
    yield "nothing heard and nothing said", ["DDDD", "", "CC"], ["CCCC", "III", "CC"]
    for seed, utterances, rates in (
        (1, 12, (0.2, 0.3)),
        (2, 40, (0.1, 0.3)),
        (3, 60, (0.25, 0.1)),
        (4, 60, (0.5, 0.5)),
    ):
        random = Random(seed)  # noqa: S311 - repeatable chance
        first, second = random_pair(random, utterances=utterances, error_rates=rates)
        yield f"chance {seed}", first, second


def main() -> None:
    """Write the vectors."""
    vectors = [
        {"name": name, "first": first, "second": second, "reported": asdict(report(first, second))}
        for name, first, second in cases()
    ]
    made = "sc_stats of Debian's sctk 2.4.10-20151007-1312Z+dfsg2-3.1 on cases() of sc_stats.py beside this file"
    document = {"made": made, "vectors": vectors}
    VECTORS.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
