"""What the Langfuse stand-in holds, with Langfuse's rules of identity.

Datasets are upserted by name, dataset items by id (one project-wide id space), spans by trace and
span id, scores by id **and** timestamp: a score sent again without its timestamp is a second score.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

from eval_pipeline.standins.documents import Json, JsonDict
from eval_pipeline.standins.langfuse.otlp import Span

PROJECT_ID = "standin-project"
MAX_ID_LENGTH = 255
_MAX_TEXT_SCORE = 500
_SUBJECTS = ("traceId", "sessionId", "datasetRunId", "observationId")

Document = JsonDict


class RefusedError(Exception):
    """Something that Langfuse would not store."""

    def __init__(self, message: str, *, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class LangfuseState:
    """Everything sent so far."""

    datasets: dict[str, Document] = field(default_factory=dict)
    items: dict[str, Document] = field(default_factory=dict)
    spans: dict[tuple[str, str], Document] = field(default_factory=dict)
    scores: dict[tuple[str, str], Document] = field(default_factory=dict)

    def put_dataset(self, given: Json) -> Document:
        """Create a dataset or update the one of that name."""
        name = _require_text(given, "name")
        old = self.datasets.get(name, {"id": f"ds-{secrets.token_hex(8)}", "createdAt": now(), "metadata": None})
        fields = ("description", "metadata", "inputSchema", "expectedOutputSchema")
        new = {key: given[key] for key in fields if key in given}
        self.datasets[name] = {**old, "name": name, "projectId": PROJECT_ID, **new, "updatedAt": now()}
        return self.datasets[name]

    def dataset(self, name: str) -> Document:
        """Return a dataset by name."""
        if name not in self.datasets:
            raise RefusedError(f"Dataset {name!r} not found", status=HTTPStatus.NOT_FOUND)
        return self.datasets[name]

    def put_item(self, given: Json) -> Document:
        """Create a dataset item or update the one of that id."""
        dataset = self.dataset(_require_text(given, "datasetName"))
        item_id = given.get("id") or secrets.token_hex(16)
        if not isinstance(item_id, str) or len(item_id) > MAX_ID_LENGTH:
            raise RefusedError(f"Dataset item id must be a string of at most {MAX_ID_LENGTH} characters")
        old = self.items.get(item_id) or _new_item(item_id, dataset)
        if old["datasetId"] != dataset["id"]:
            message = f"Dataset item {item_id!r} belongs to dataset {old['datasetName']!r}"
            raise RefusedError(message, status=HTTPStatus.NOT_FOUND)
        fields = ("input", "expectedOutput", "metadata", "sourceTraceId", "sourceObservationId", "status")
        new = {key: given[key] for key in fields if given.get(key) is not None}
        self.items[item_id] = {**old, **new, "updatedAt": now()}
        return self.items[item_id]

    def item(self, item_id: str) -> Document:
        """Return a dataset item by id."""
        if item_id not in self.items:
            raise RefusedError(f"Dataset item {item_id!r} not found", status=HTTPStatus.NOT_FOUND)
        return self.items[item_id]

    def put_spans(self, spans: Iterable[Span]) -> None:
        """Store spans; one that comes again replaces the first and counts up ``times_received``."""
        for span in spans:
            key = (span.trace_id, span.span_id)
            times = self.spans.get(key, {}).get("times_received", 0)
            self.spans[key] = {**asdict(span), "times_received": times + 1}

    def put_score(self, given: Json) -> Document:
        """Create a score or update the one of that id and timestamp."""
        check_score(given)
        score_id = given.get("id") or secrets.token_hex(16)
        timestamp = given.get("timestamp") or now()
        times = self.scores.get((score_id, timestamp), {}).get("times_received", 0)
        score = {**given, "id": score_id, "timestamp": timestamp, "dataType": _data_type(given)}
        self.scores[score_id, timestamp] = {**score, "times_received": times + 1}
        return score

    def as_json(self) -> Document:
        """Return everything, spans by trace and by experiment too."""
        return {
            "datasets": list(self.datasets.values()),
            "items": list(self.items.values()),
            "traces": _traces(self.spans.values()),
            "experiments": _experiments(self.spans.values()),
            "scores": list(self.scores.values()),
        }


def check_score(given: object) -> None:
    """Refuse a score that Langfuse would refuse."""
    if not isinstance(given, Mapping):
        raise RefusedError("A score must be an object")
    name = _require_text(given, "name")
    if not any(given.get(subject) for subject in _SUBJECTS):
        raise RefusedError(f"Score {name!r} needs one of {', '.join(_SUBJECTS)}")
    if not _fits(_data_type(given), given.get("value")):
        raise RefusedError(f"Score {name!r} of type {_data_type(given)} cannot be {given.get('value')!r}")


def _data_type(score: Json) -> str:
    guess = "CATEGORICAL" if isinstance(score.get("value"), str) else "NUMERIC"
    return str(score.get("dataType") or guess)


def _fits(data_type: str, value: object) -> bool:
    match data_type:
        case "NUMERIC":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "BOOLEAN":
            return value in (0, 1)
        case "CATEGORICAL" | "CORRECTION":
            return isinstance(value, str)
        case "TEXT":
            return isinstance(value, str) and 1 <= len(value) <= _MAX_TEXT_SCORE
    return False


def _new_item(item_id: str, dataset: Document) -> Document:
    return {
        "id": item_id,
        "status": "ACTIVE",
        "mediaReferences": [],
        "input": None,
        "expectedOutput": None,
        "metadata": None,
        "datasetId": dataset["id"],
        "datasetName": dataset["name"],
        "createdAt": now(),
    }


def _traces(spans: Iterable[Document]) -> list[Document]:
    by_trace: dict[str, list[Document]] = defaultdict(list)
    for span in spans:
        by_trace[span["trace_id"]].append(span)
    return [{"id": trace_id, "name": _trace_name(members), "spans": members} for trace_id, members in by_trace.items()]


def _trace_name(spans: list[Document]) -> str | None:
    given = (span["attributes"].get("langfuse.trace.name") for span in spans)
    roots = (span["name"] for span in spans if span["parent_span_id"] is None)
    return next((name for name in given if name), None) or next(roots, None)


def _experiments(spans: Iterable[Document]) -> list[Document]:
    """Group spans by the experiment they name; Langfuse has no other record of an experiment run."""
    found: dict[str, Document] = {}
    for span in spans:
        told = span["attributes"]
        if experiment_id := told.get("langfuse.experiment.id"):
            name, dataset = told.get("langfuse.experiment.name"), told.get("langfuse.experiment.dataset.id")
            new: Document = {"id": experiment_id, "name": name, "dataset_id": dataset, "items": {}}
            items = found.setdefault(experiment_id, new)["items"]
            items.setdefault(told.get("langfuse.experiment.item.id"), []).append(span["trace_id"])
    return [{**one, "items": {k: sorted(set(v)) for k, v in one["items"].items()}} for one in found.values()]


def _require_text(given: Json, key: str) -> str:
    value = given.get(key)
    if not isinstance(value, str) or not value:
        raise RefusedError(f"Invalid request data: {key} must be a non-empty string")
    return value


def now() -> str:
    """Return the time as Langfuse writes it."""
    return datetime.now(tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
