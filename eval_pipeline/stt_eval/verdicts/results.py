"""The results of a run as people name them, by sample and model, each with the digest of its transcript."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from itertools import islice

from eval_pipeline.core.documents import Row
from eval_pipeline.core.errors import ConflictError, NotFoundError, UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.reporting.csv_safety import undefused

COLUMNS = ("item_id", "sample_id", "model", "status", "outcome", "transcript")
"""What of the stage ``transcripts`` is read."""
_COMPARED_NAMES = 2_000
_WHOLE_NUMBER = re.compile(r"(?P<digits>[0-9]{1,30})(?:[.,]0+)?")
_SHOWN_MODELS = 10


@dataclass(frozen=True, slots=True)
class Result:
    """What one model made of one sample."""

    item_id: str
    sample_id: str
    model: str
    outcome: str
    text_sha256: str | None
    """Of the transcript; None when the model brought none that can be judged."""
    shown_sha256: str | None = None
    """Of the transcript as a spreadsheet may give it back: without what it changes about spaces and line ends."""
    file_name: str | None = None
    """Of the clip, where that was asked for."""

    def require_text(self) -> str:
        """Return the digest of the transcript, or raise ``result_not_finished``."""
        if self.text_sha256 is not None:
            return self.text_sha256
        raise ConflictError(
            f"sample {shown(self.sample_id)}, model {shown(self.model)} has no transcript to judge: {self.outcome}",
            code="result_not_finished",
            hint="only completed transcripts can be judged; eval-pipeline run retry RUN asks again what failed",
        )


class Results:
    """All results of a run, in the order of the stage."""

    def __init__(self, rows: Iterable[Row], *, file_names: Mapping[str, str] | None = None) -> None:
        names = file_names or {}
        self._results = {
            (row["sample_id"], row["model"]): _result(row, file_name=names.get(row["sample_id"])) for row in rows
        }
        self._by_text: dict[str, list[str]] = {}
        for one in self._results.values():
            if one.shown_sha256 is not None:
                self._by_text.setdefault(one.shown_sha256, []).append(one.sample_id)
        self._samples = dict.fromkeys(sample for sample, _ in self._results)
        self._models = dict.fromkeys(model for _, model in self._results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self._results.values())

    def find(self, sample: str, model: str) -> Result:
        """Return the result, else raise ``result_not_found`` with the names that are close."""
        if sample not in self._samples:
            raise _unknown("sample", sample, known=self._samples)
        if model not in self._models:
            raise _unknown("model", model, known=self._models)
        return self._results[sample, model]

    def find_cells(self, cells: Mapping[str, str]) -> Result:
        """Return the result that a row of a file names, by its sample and model, else by what else stands in the row.

        A spreadsheet program makes 1 of the sample 001: the model with the file's name or with the digest of the
        transcript still says which result it is, and without these the number, where only one sample has it.
        """
        sample, model = _named(cells["sample"], self._samples), _named(cells["model"], self._models)
        named = self._results.get((sample, model))
        file_name, digest = undefused(cells["file_name"].strip()), cells["text_sha256"].strip()
        if named is not None and (file_name in {"", named.file_name} or named.text_sha256 == digest):
            return named
        others = [one for one in self._results.values() if one.model == model]
        for wanted in ((file_name, digest), (file_name, None), (None, digest)):
            found = [one for one in others if _has(one, *wanted)]
            if len(found) == 1:
                return found[0]
        return self.find(_same_number(sample, self._samples), model)

    def sample_of(self, shown_sha256: str, *, beside: Result) -> str | None:
        """Return the other sample whose transcript looks like that in a spreadsheet; None where there is none.

        Where another model heard it in the same sample, somebody may have written it down as what is right.
        """
        samples = self._by_text.get(shown_sha256, [])
        return samples[0] if samples and beside.sample_id not in samples else None


def _same_number(sample: str, samples: Iterable[str]) -> str:
    """Return the only sample whose name is the same number, as ``001`` is 1 and 1.0; else the name as it stands."""
    if sample in samples or _number(sample) is None:
        return sample
    same = [name for name in samples if _number(name) == _number(sample)]
    return same[0] if len(same) == 1 else sample


def _number(name: str) -> int | None:
    found = _WHOLE_NUMBER.fullmatch(name)
    return int(found["digits"]) if found else None


def _has(result: Result, file_name: str | None, digest: str | None) -> bool:
    """Tell whether a result has what is given of these two, and something is."""
    same_file = file_name is None or (bool(file_name) and result.file_name == file_name)
    same_text = digest is None or (bool(digest) and result.text_sha256 == digest)
    return same_file and same_text


def text_digest(text: str) -> str:
    """Return the sha256 by which a verdict knows the transcript that it is about."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def shown_digest(text: str) -> str:
    """Return the sha256 of a text without differences that spreadsheets make: spaces, line ends, Unicode's form."""
    return text_digest(" ".join(unicodedata.normalize("NFC", text).split()))


def _result(row: Row, *, file_name: str | None) -> Result:
    judgeable = row["status"] == "completed" and row["transcript"] is not None
    return Result(
        item_id=row["item_id"],
        sample_id=row["sample_id"],
        model=row["model"],
        outcome=row["outcome"],
        text_sha256=text_digest(row["transcript"]) if judgeable else None,
        shown_sha256=shown_digest(row["transcript"]) if judgeable else None,
        file_name=file_name,
    )


def _named(cell: str, known: Mapping[str, None]) -> str:
    spellings = [name for name in dict.fromkeys((cell, undefused(cell))) if name in known]
    if len(spellings) > 1:
        raise UsageError(
            f"{shown(cell)} may stand for itself and, behind an apostrophe, for {shown(spellings[1])}",
            code="invalid_verdict_file",
            hint="judge that one with --set",
        )
    return spellings[0] if spellings else cell.strip()


def _unknown(kind: str, name: str, *, known: Mapping[str, None]) -> NotFoundError:
    folded = {one.casefold(): one for one in islice(known, _COMPARED_NAMES)}
    close = [shown(folded[match]) for match in get_close_matches(name.casefold(), folded)]
    first = ", ".join(shown(one) for one in islice(known, _SHOWN_MODELS))
    guess = f"did you mean {' or '.join(close)}?" if close else f"its {kind}s are {first or 'none'}"
    more = f" and {len(known) - _SHOWN_MODELS:,} more" if not close and len(known) > _SHOWN_MODELS else ""
    return NotFoundError(f"the run has no {kind} {shown(name)}", code="result_not_found", hint=f"{guess}{more}")
