"""Which request goes wrong, and how: rules that are decided by hash, never by chance.

The same rules and the same inputs give the same faults on every machine, in any order of arrival.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from enum import StrEnum
from hashlib import blake2b
from typing import Any

ANY_ENDPOINT = "*"


class FaultKind(StrEnum):
    """Everything that can go wrong with one request."""

    RATE_LIMIT = "rate_limit"
    RATE_LIMIT_NO_HEADER = "rate_limit_no_header"
    INSUFFICIENT_QUOTA = "insufficient_quota"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    TIMEOUT = "timeout"
    RESET = "reset"
    CUT = "cut"
    TRUNCATED_JSON = "truncated_json"
    HTML = "html"
    MALFORMED = "malformed"
    NO_USAGE = "no_usage"
    EMPTY = "empty"
    REFUSAL = "refusal"
    INCOMPLETE = "incomplete"
    CONTENT_FILTER = "content_filter"
    STATUS_FAILED = "status_failed"
    WRONG_COUNT = "wrong_count"
    SHUFFLED = "shuffled"
    DUPLICATE_INDEX = "duplicate_index"
    WRONG_DIMENSION = "wrong_dimension"
    NAN = "nan"
    ZERO_VECTOR = "zero_vector"
    ACCEPTED_THEN_RESET = "accepted_then_reset"
    SHORT = "short"
    RESET_MIDWAY = "reset_midway"
    FORBIDDEN = "forbidden"
    UNAUTHENTICATED = "unauthenticated"
    NO_CANDIDATE = "no_candidate"
    BLOCKED = "blocked"
    SAFETY = "safety"
    RECITATION = "recitation"
    MAX_TOKENS = "max_tokens"
    SPLIT_PARTS = "split_parts"
    THOUGHT = "thought"
    CODE_FENCE = "code_fence"
    QUOTED = "quoted"
    LABELLED = "labelled"
    JSON_TEXT = "json_text"
    LOOP = "loop"
    WRONG_SCRIPT = "wrong_script"
    LINE_SEPARATOR = "line_separator"
    PROCESSING_FAILED = "processing_failed"
    PROCESSING_SLOWLY = "processing_slowly"
    NO_UPLOAD_STATUS = "no_upload_status"
    OVERLOADED = "overloaded"
    BILLING = "billing"
    TOO_LARGE = "too_large"
    TOOL_USE = "tool_use"
    PAUSE_TURN = "pause_turn"
    CONTEXT_WINDOW = "context_window"
    OTHER_MODEL = "other_model"
    VERDICT_PROSE = "verdict_prose"
    VERDICT_CUT = "verdict_cut"
    VERDICT_FENCED = "verdict_fenced"
    VERDICT_MISSING_AXIS = "verdict_missing_axis"
    VERDICT_EXTRA_AXIS = "verdict_extra_axis"
    VERDICT_OUT_OF_RANGE = "verdict_out_of_range"
    VERDICT_AS_NUMBER = "verdict_as_number"
    VERDICT_NO_QUOTE = "verdict_no_quote"
    VERDICT_FALSE_QUOTE = "verdict_false_quote"
    VERDICT_FALSE_LABEL = "verdict_false_label"
    VERDICT_OBEYS = "verdict_obeys"


TRANSPORT_FAULTS = frozenset(
    {
        FaultKind.RATE_LIMIT,
        FaultKind.RATE_LIMIT_NO_HEADER,
        FaultKind.SERVER_ERROR,
        FaultKind.UNAVAILABLE,
        FaultKind.BAD_REQUEST,
        FaultKind.UNAUTHORIZED,
        FaultKind.NOT_FOUND,
        FaultKind.TIMEOUT,
        FaultKind.RESET,
        FaultKind.CUT,
        FaultKind.TRUNCATED_JSON,
        FaultKind.HTML,
    }
)
"""What any HTTP server can do to its client, whatever it serves."""
CONNECTION_FAULTS = frozenset(
    {FaultKind.TIMEOUT, FaultKind.RESET, FaultKind.CUT, FaultKind.TRUNCATED_JSON, FaultKind.HTML}
)
"""What happens between two machines, and so never to a line of a batch."""
JUDGE_FAULTS = frozenset(kind for kind in FaultKind if kind.startswith("verdict_"))
"""What a judge can do to its answer; other requests are passed over."""

_NUMBERS = {"share", "retry_after", "hold_s"}
_COUNTS = {"first_n", "times", "seed"}
_TEXTS = {"message", "endpoint", "model"}


class FaultRuleError(ValueError):
    """A fault rule that cannot be understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRule:
    """One kind of fault, and the requests that it hits; all given conditions must hold.

    Args:
        kind: What goes wrong.
        endpoint: Where: ``responses``, ``embeddings``, …, or ``*``.
        share: Share of the requests, 0 to 1, drawn by hash of seed, rule, input and attempt.
        sticky: Draw by input alone: an input that is hit is hit at every attempt.
        first_n: Stop after this many hits in all.
        match: Only requests with an input that contains this text, or each of these texts.
        model: Only requests for this model.
        times: At most this many hits for one input.
        retry_after: Seconds in the ``Retry-After`` header of ``rate_limit`` and ``unavailable``.
        hold_s: How long ``timeout`` holds the connection; without it until the client goes away.
        message: The provider's words, in place of the usual ones.
        seed: Another draw of the share.
    """

    kind: FaultKind
    endpoint: str = ANY_ENDPOINT
    share: float = 1.0
    sticky: bool = False
    first_n: int | None = None
    match: str | tuple[str, ...] | None = None
    model: str | None = None
    times: int | None = None
    retry_after: float = 1.0
    hold_s: float | None = None
    message: str | None = None
    seed: int = 0

    def concerns(self, endpoint: str) -> bool:
        """Tell whether the rule is about this endpoint."""
        return self.endpoint in (ANY_ENDPOINT, endpoint)

    def inputs_meant(self, texts: Sequence[str], *, within: str | None = None) -> list[str]:
        """Return the inputs of a request that the rule is about.

        Args:
            texts: The inputs.
            within: What is looked in for all of them; each by itself without.
        """
        return [text for text in texts if self.meets(text if within is None else within)]

    def meets(self, text: str) -> bool:
        """Tell whether a text has all that the rule looks for."""
        needed = (self.match,) if isinstance(self.match, str) else self.match or ()
        return all(part in text for part in needed)


class FaultPlan:
    """The rules in force and what each has hit so far; the first rule that hits wins."""

    def __init__(self, rules: Sequence[FaultRule] = ()) -> None:
        self.rules = tuple(rules)
        self._hits: Counter[int] = Counter()
        self._hits_of_input: Counter[tuple[int, str]] = Counter()
        self._attempts: Counter[tuple[int, str]] = Counter()
        self._one_at_a_time = threading.Lock()  # batches are worked off in a thread beside the live calls

    def choose(
        self,
        endpoint: str,
        texts: Sequence[str],
        *,
        able: AbstractSet[FaultKind] = frozenset(FaultKind),
        model: str = "",
        within: str | None = None,
    ) -> FaultRule | None:
        """Decide which fault, if any, this request meets, and remember it.

        Args:
            endpoint: Where the request came in.
            texts: Its inputs.
            able: The faults that can be shown there; rules about others are passed over.
            model: Whom it asks.
            within: What rules look in for their match, where that is not the inputs.
        """
        for place, rule in enumerate(self.rules):
            if rule.model not in (None, model) or rule.kind not in able or not rule.concerns(endpoint):
                continue
            if meant := rule.inputs_meant(texts, within=within):
                key = (place, "\n".join(meant))
                if self._hits_now(rule, key):
                    return rule
        return None

    def hits(self) -> list[dict[str, object]]:
        """Tell how often each rule was met, in their order."""
        with self._one_at_a_time:
            return [
                {"rule": str(rule.kind), "endpoint": rule.endpoint, "hits": self._hits[place]}
                for place, rule in enumerate(self.rules)
            ]

    def _hits_now(self, rule: FaultRule, key: tuple[int, str]) -> bool:
        with self._one_at_a_time:
            return self._count_hit(rule, key)

    def _count_hit(self, rule: FaultRule, key: tuple[int, str]) -> bool:
        self._attempts[key] += 1
        spent = rule.first_n is not None and self._hits[key[0]] >= rule.first_n
        spared = rule.times is not None and self._hits_of_input[key] >= rule.times
        if spent or spared or not drawn(rule, key, attempt=self._attempts[key]):
            return False
        self._hits[key[0]] += 1
        self._hits_of_input[key] += 1
        return True


def model_told(rule: FaultRule | None, *, asked: str) -> str:
    """Return the model that an answer names: the one that was asked, unless it has drifted."""
    if rule is None or rule.kind is not FaultKind.OTHER_MODEL:
        return asked
    return rule.message or f"{asked}-drifted"


def drawn(rule: FaultRule, key: tuple[int, str], *, attempt: int) -> bool:
    """Tell whether the hash of this input and attempt falls into the rule's share."""
    place, text = key
    turn = 0 if rule.sticky else attempt
    digest = blake2b(f"{rule.seed}\0{place}\0{turn}\0{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) < rule.share * 2**64


def read_rules(document: object) -> list[FaultRule]:
    """Read a JSON list of rules, or refuse it with the reason."""
    if not isinstance(document, list):
        raise FaultRuleError(f"Fault rules must be a JSON list of objects, not {type(document).__name__}.")
    return [_read_rule(entry) for entry in document]


def _read_rule(entry: object) -> FaultRule:
    if not isinstance(entry, dict):
        raise FaultRuleError(f"A fault rule must be a JSON object, not {entry!r}.")
    known = [field.name for field in fields(FaultRule)]
    if unknown := sorted(set(entry) - set(known)):
        raise FaultRuleError(f"Unknown keys in a fault rule: {unknown}. Known: {known}.")
    if entry.get("kind") not in list(FaultKind):
        raise FaultRuleError(f"Unknown fault kind {entry.get('kind')!r}. Known: {[str(k) for k in FaultKind]}.")
    for name, value in entry.items():
        if value is not None and not _is_fit(name, value):
            raise FaultRuleError(f"Fault rule {entry['kind']!r}: {name} cannot be {value!r}.")
    given: dict[str, Any] = {name: value for name, value in entry.items() if value is not None}
    if isinstance(given.get("match"), list):
        given["match"] = tuple(given["match"])
    return FaultRule(**{**given, "kind": FaultKind(entry["kind"])})


def _is_fit(name: str, value: object) -> bool:
    if name == "sticky":
        return isinstance(value, bool)
    if name == "match":
        return isinstance(value, str) or (isinstance(value, list) and all(isinstance(text, str) for text in value))
    if name in _TEXTS:
        return isinstance(value, str)
    if name in _COUNTS:
        return type(value) is int and value >= 0
    if name in _NUMBERS and type(value) in (int, float):
        return 0 <= float(str(value)) <= (1 if name == "share" else 86_400)
    return name == "kind"
