"""What can go wrong with a whole batch: scenarios that are chosen when it is created and stay with it.

What goes wrong with one of its lines is told by the fault rules of ``responses`` and ``embeddings``.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

import orjson


class Scenario(StrEnum):
    """Everything that can go wrong with one batch."""

    OUT_OF_ORDER = "out_of_order"
    EXPIRED_PARTIAL = "expired_partial"
    EXPIRED_NO_FILES = "expired_no_files"
    CANCELLED_NO_FILES = "cancelled_no_files"
    TOKEN_LIMIT = "token_limit"  # noqa: S105 - tokens of a model
    TOKEN_LIMIT_ON_CREATE = "token_limit_on_create"  # noqa: S105 - the same
    ALL_BAD_REQUEST = "all_bad_request"
    MISSING_LINE = "missing_line"
    DUPLICATE_LINE = "duplicate_line"
    UNKNOWN_LINE = "unknown_line"
    CUT_LAST_LINE = "cut_last_line"
    EMPTY_ERROR_FILE_ID = "empty_error_file_id"
    RESULT_404 = "result_404"
    UNKNOWN_STATUS = "unknown_status"
    LATE_FILES = "late_files"
    NULL_COUNTS = "null_counts"
    U2028 = "u2028"
    STUCK = "stuck"
    FORGOTTEN = "forgotten"
    VANISHED = "vanished"
    VALIDATION_FAILED = "validation_failed"
    FAILED = "failed"
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    RPC_ERRORS = "rpc_errors"


GEMINI_ONLY = frozenset({Scenario.FAILED, Scenario.PARTIALLY_SUCCEEDED, Scenario.RPC_ERRORS})
OPENAI_ONLY = frozenset({Scenario.EXPIRED_PARTIAL, Scenario.EMPTY_ERROR_FILE_ID})
FAILED_AS_A_WHOLE = frozenset({Scenario.TOKEN_LIMIT, Scenario.VALIDATION_FAILED})
"""What Anthropic's batches cannot come to: each of their requests fails for itself."""
OPENAI_SCENARIOS = frozenset(Scenario) - GEMINI_ONLY
GEMINI_SCENARIOS = frozenset(Scenario) - OPENAI_ONLY
ANTHROPIC_SCENARIOS = OPENAI_SCENARIOS - FAILED_AS_A_WHOLE - {Scenario.EMPTY_ERROR_FILE_ID}


class BatchRuleError(ValueError):
    """A rule about batches that cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRule:
    """One scenario, and the batches that it hits; all given conditions must hold.

    Args:
        scenario: What goes wrong.
        endpoint: Only batches of this endpoint, such as ``/v1/responses`` or ``generate``.
        first_n: Only the first so many batches that fit.
        match: Only batches with this text in their metadata (as JSON) or in their input file.
        done: How many lines, from the first, are executed: ``expired_partial``, ``stuck``, ``partially_succeeded``.
        lines: How many lines, from the first, ``missing_line`` drops and ``duplicate_line`` doubles.
        polls: For how many looks ``unknown_status``, ``late_files``, ``forgotten`` and ``vanished`` last; for ever
            without.
        status: What ``unknown_status`` shows.
        code: The error code of ``validation_failed`` at OpenAI, the name of the status of ``failed`` at Gemini.
        line: The line that ``validation_failed`` names.
        message: The provider's words, in place of the usual ones.
    """

    scenario: Scenario
    endpoint: str | None = None
    first_n: int | None = None
    match: str | None = None
    done: int = 0
    lines: int = 1
    polls: int | None = None
    status: str = "paused_by_policy"
    code: str = "invalid_json_line"
    line: int | None = 1
    message: str | None = None

    def lasts(self, looks: int) -> bool:
        """Tell whether the scenario still holds at the so-manieth look."""
        return self.polls is None or looks <= self.polls


class BatchPlan:
    """The rules in force and how many batches each has hit; the first that hits wins."""

    def __init__(self, rules: Sequence[BatchRule] = ()) -> None:
        self.rules = tuple(rules)
        self._hits: Counter[int] = Counter()

    def choose(self, endpoint: str, contains: Callable[[str], bool]) -> BatchRule | None:
        """Decide which scenario, if any, a new batch meets, and remember it.

        Args:
            endpoint: What the batch asks.
            contains: Tells whether a text occurs in its metadata or input.
        """
        for place, rule in enumerate(self.rules):
            spent = rule.first_n is not None and self._hits[place] >= rule.first_n
            if spent or rule.endpoint not in (None, endpoint):
                continue
            if rule.match is None or contains(rule.match):
                self._hits[place] += 1
                return rule
        return None

    def hits(self) -> list[dict[str, object]]:
        """Tell how many batches each rule hit, in their order."""
        return [
            {"rule": str(rule.scenario), "endpoint": rule.endpoint, "hits": self._hits[place]}
            for place, rule in enumerate(self.rules)
        ]


def read_batch_rules(document: object, *, able: AbstractSet[Scenario] = OPENAI_SCENARIOS) -> list[BatchRule]:
    """Read a JSON list of rules, or refuse it with the reason.

    Args:
        document: The list.
        able: The scenarios that the provider can show.
    """
    if not isinstance(document, list):
        raise BatchRuleError(f"Batch fault rules must be a JSON list of objects, not {type(document).__name__}.")
    rules = [read_batch_rule(entry) for entry in document]
    if unable := [str(rule.scenario) for rule in rules if rule.scenario not in able]:
        raise BatchRuleError(f"Batches of this provider cannot show {unable}. They can: {sorted(able)}.")
    return rules


def read_batch_rule(entry: object) -> BatchRule:
    """Read one rule, or refuse it with the reason."""
    if not isinstance(entry, dict):
        raise BatchRuleError(f"A batch fault rule must be a JSON object, not {entry!r}.")
    known = [field.name for field in fields(BatchRule)]
    if unknown := sorted(set(entry) - set(known)):
        raise BatchRuleError(f"Unknown keys in a batch fault rule: {unknown}. Known: {known}.")
    if entry.get("scenario") not in list(Scenario):
        raise BatchRuleError(f"Unknown scenario {entry.get('scenario')!r}. Known: {[str(s) for s in Scenario]}.")
    given = {name: value for name, value in entry.items() if value is not None}
    for name, value in given.items():
        if not (isinstance(value, str) if name in _TEXTS else type(value) is int and value >= 0):
            raise BatchRuleError(f"Batch fault rule {entry['scenario']!r}: {name} cannot be {value!r}.")
    return BatchRule(**{**given, "scenario": Scenario(entry["scenario"])})


def contains(path: Path, text: str) -> bool:
    """Tell whether a line of a file contains a text, as it stands or as JSON escapes it."""
    needles = {text.encode(), orjson.dumps(text)[1:-1]}
    with path.open("rb") as lines:
        return any(needle in raw for raw in lines for needle in needles)


_TEXTS = {"scenario", "endpoint", "match", "status", "code", "message"}
