"""NIST's sclite as an oracle, on machines that have it: Debian's package sctk keeps it outside of the PATH."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from eval_pipeline.stt_eval.edits import EditCounts

SCLITE: Final = shutil.which("sclite") or shutil.which("sclite", path="/usr/lib/sctk/bin")
_SCORES: Final = re.compile(r"(?s)^id: \(u-(\d+)\)$.*?^Scores: \(#C #S #D #I\) (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)


def sclite_counts(pairs: Sequence[tuple[str, str]]) -> list[EditCounts]:
    """Return what sclite counts for every pair of reference (alternatives allowed) and hypothesis."""
    assert SCLITE is not None
    with TemporaryDirectory() as folder:
        files = Path(folder, "reference.trn"), Path(folder, "hypothesis.trn")
        for side, path in enumerate(files):
            lines = (f"{pair[side]} (u-{number})\n" for number, pair in enumerate(pairs))
            path.write_text("".join(lines), encoding="utf-8")
        options = ["-i", "spu_id", "-e", "utf-8", "-s", "-o", "pralign", "stdout", "-f", "0"]
        command = [SCLITE, "-r", str(files[0]), "trn", "-h", str(files[1]), "trn", *options]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = {int(number): tuple(map(int, counts)) for number, *counts in _SCORES.findall(told)}
    assert len(found) == len(pairs)
    return [EditCounts(*found[number]) for number in range(len(pairs))]
