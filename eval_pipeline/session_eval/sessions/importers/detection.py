"""Which importer a file is for: the one that was named, else the first that recognises its records."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from eval_pipeline.session_eval.sessions.importers.atif import ATIF
from eval_pipeline.session_eval.sessions.importers.inspect import INSPECT
from eval_pipeline.session_eval.sessions.importers.langfuse import LANGFUSE
from eval_pipeline.session_eval.sessions.importers.native import NATIVE
from eval_pipeline.session_eval.sessions.importers.openai_chat import OPENAI_CHAT
from eval_pipeline.session_eval.sessions.importers.openai_responses import OPENAI_RESPONSES
from eval_pipeline.session_eval.sessions.importers.openinference import OPENINFERENCE
from eval_pipeline.session_eval.sessions.importers.otel_genai import OTEL_GENAI
from eval_pipeline.session_eval.sessions.importers.record import Importer, Record
from eval_pipeline.session_eval.sessions.importers.tau_bench import TAU_BENCH
from eval_pipeline.session_eval.sessions.session import SourceFormat

_IN_ORDER: Final[Sequence[Importer]] = (
    NATIVE,
    TAU_BENCH,
    ATIF,
    INSPECT,
    OPENINFERENCE,
    OTEL_GENAI,
    OPENAI_RESPONSES,
    LANGFUSE,
    OPENAI_CHAT,
)
"""The narrow ones first: many records hold messages."""
IMPORTERS: Final[Mapping[SourceFormat, Importer]] = {importer.format: importer for importer in _IN_ORDER}


def detect(records: Iterable[Record]) -> Importer | None:
    """Return the first importer that recognises one of the records; None when none does."""
    for record in records:
        values = [record.value]
        if record.about.get("list") in {"resourceSpans", "resourceLogs"}:
            values = [{record.about["list"]: [record.value]}]
        elif record.about:
            values.append({**record.about, str(record.about.get("list")): [record.value]})
        for importer in _IN_ORDER:
            if any(importer.recognises(value) for value in values):
                return importer
    return None
