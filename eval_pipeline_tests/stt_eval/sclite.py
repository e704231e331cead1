"""NIST's sclite as an oracle, on machines that have it: Debian's package sctk keeps it outside of the PATH."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from eval_pipeline.stt_eval.scoring.edits import EditCounts

SCLITE: Final = shutil.which("sclite") or shutil.which("sclite", path="/usr/lib/sctk/bin")
_SCORES: Final = re.compile(r"(?s)^id: \(u-(\d+)\)$.*?^Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)
_PATH: Final = re.compile(r'<PATH id="\(u-(\d+)\)"[^>]*>\n(.*)\n</PATH>')

_SUMS: Final = re.compile(r"\| Sum +\| +\d+ +\d+ +\| +(\d+) +(\d+) +(\d+) +(\d+)")


def sclite_counts(pairs: Sequence[tuple[str, str]]) -> list[EditCounts]:
    """Return what sclite counts for every pair of reference (alternatives allowed) and hypothesis."""
    found = {int(number): tuple(map(int, counts)) for number, *counts in _SCORES.findall(_told(pairs, "pralign"))}
    assert len(found) == len(pairs)
    return [EditCounts(*found[number]) for number in range(len(pairs))]


def sclite_codes(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Return the alignments of sclite: C correct, S substituted, D deleted, I inserted."""
    return codes_of(sclite_document(pairs))


def codes_of(document: str) -> list[str]:
    """Return the alignments of a document of one system, in the order of the utterances."""
    found = {int(number): "".join(word[0] for word in words.split(":")) for number, words in _PATH.findall(document)}
    return [found[number] for number in range(len(found))]


def sclite_document(pairs: Sequence[tuple[str, str]], *, title: str = "h") -> str:
    """Return the alignments as sc_stats reads them."""
    return _told(pairs, "sgml", title=title)


def sclite_sums(pairs: Sequence[tuple[str, str]]) -> EditCounts:
    """Return the counts of the whole corpus as sclite adds them up."""
    found = _SUMS.search(_told(pairs, "rsum"))
    assert found is not None
    return EditCounts(*map(int, found.groups()))


def _told(pairs: Sequence[tuple[str, str]], report: str, *, title: str = "h") -> str:
    assert SCLITE is not None
    with TemporaryDirectory() as folder:
        files = Path(folder, "reference.trn"), Path(folder, "hypothesis.trn")
        for side, path in enumerate(files):
            lines = (f"{pair[side]} (u-{number})\n" for number, pair in enumerate(pairs))
            path.write_text("".join(lines), encoding="utf-8")
        texts = ["-r", str(files[0]), "trn", "-h", str(files[1]), "trn", title]
        command = [SCLITE, *texts, "-i", "spu_id", "-e", "utf-8", "-s", "-o", report, "stdout", "-f", "0"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
