"""Every setting, its meaning, its default and its check, in one table; the documentation is made from it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, cast

from eval_pipeline.core.errors import UsageError

Value = int | float | str | None


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable ``EVAL_…``."""

    variable: str
    meaning: str
    default: Value
    parse: Callable[[str], Value]
    accepts: str


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return parse


def _number(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        number = float(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return parse


def _one_of(*words: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return parse


def _whole(variable: str, default: int, low: int, high: int, meaning: str) -> Setting:
    return Setting(variable, meaning, default, _integer(low, high), f"a whole number from {low:,} to {high:,}")


def _real(variable: str, default: float, low: float, high: float, meaning: str) -> Setting:
    return Setting(variable, meaning, default, _number(low, high), f"a number from {low:g} to {high:,g}")


SETTINGS: tuple[Setting, ...] = (
    _whole(
        "EVAL_FAST_MAX_UNIQUE_ROWS",
        10,
        1,
        100_000_000,
        "Questions a fast run may have, before repeats.",
    ),
    _whole(
        "EVAL_FAST_MAX_FILE_BYTES",
        1_048_576,
        1,
        10**12,
        "Size of the golden file a fast run may have; checked when the run starts, not when a dataset is added.",
    ),
    _real(
        "EVAL_FAST_FAILURE_THRESHOLD",
        0.5,
        0,
        1,
        "A fast run fails when failed / total is greater than this. A run can set its own.",
    ),
    _real(
        "EVAL_BATCH_FAILURE_THRESHOLD",
        0.5,
        0,
        1,
        "A batch run fails when failed / total is greater than this. A run can set its own.",
    ),
    _whole(
        "EVAL_FAST_API_CONCURRENCY",
        10,
        1,
        1_000,
        "Live calls under way at once; adapts downwards while the provider answers 429. A run can set its own.",
    ),
    _real(
        "EVAL_BATCH_POLL_SECONDS",
        30,
        0.1,
        3_600,
        "Between two looks at open batches; Dagster's sensor looks every 5 seconds at most.",
    ),
    _whole("EVAL_BATCH_MAX_REQUESTS", 50_000, 1, 1_000_000, "Requests of one batch; the provider's limit."),
    _whole("EVAL_BATCH_MAX_BYTES", 200_000_000, 1_000, 10**10, "Bytes of one request file; the provider's limit."),
    _whole(
        "EVAL_BATCH_MAX_EMBEDDING_INPUTS", 50_000, 1, 1_000_000, "Texts of one embedding batch; the provider's limit."
    ),
    _whole(
        "EVAL_BATCH_MAX_ROUNDS", 3, 1, 20, "How often items that failed in passing are sent, the first time included."
    ),
    _real(
        "EVAL_BATCH_WINDOW_SECONDS",
        86_400,
        1,
        2_592_000,
        "The provider's promise. A batch that is open for longer, by the provider's clock and with 300 s of slack, is "
        "cancelled, what is done is kept, the rest is sent again.",
    ),
    _real(
        "EVAL_BATCH_CREATE_TIMEOUT_SECONDS",
        60,
        0.1,
        3_600,
        "How long the answer to the creation of a batch is waited for. An unanswered one is looked for, and made again "
        "only 60 s after that, when two lists did not show it.",
    ),
    _real(
        "EVAL_BATCH_CANCEL_GRACE_SECONDS",
        900,
        0,
        86_400,
        "How long a batch that was cancelled may take to end before it counts as lost.",
    ),
    _real(
        "EVAL_BATCH_LOST_SECONDS",
        300,
        0,
        86_400,
        "How long, by the provider's clock, a batch that it does not find, or the results of one that is completed, "
        "are looked for before they count as lost.",
    ),
    _whole("EVAL_RETRY_MAX_ATTEMPTS", 5, 1, 20, "Attempts at one item before a transient error is final."),
    _real(
        "EVAL_ITEM_TIME_BUDGET_SECONDS",
        600,
        1,
        86_400,
        "From the first attempt at an item to the start of its last one.",
    ),
    _real("EVAL_REQUEST_TIMEOUT_SECONDS", 120, 0.1, 3_600, "One call of a provider, from sending to the last byte."),
    _whole("EVAL_MAX_DUPLICATION_FACTOR", 5, 1, 100, "How often a question may be repeated."),
    _whole(
        "EVAL_MAX_FILE_BYTES",
        2_000_000_000,
        1,
        10**12,
        "Size of a golden file, manifest or file of verdicts that is handed in, as a file or as a pipe.",
    ),
    _whole(
        "EVAL_MAX_ANSWER_BYTES",
        32_000_000,
        10_000,
        2_000_000_000,
        "Size of one live answer of a provider, unpacked; a larger one is broken off and counts as malformed.",
    ),
    _real(
        "EVAL_STT_MAX_AUDIO_SECONDS",
        14_400,
        1,
        1_000_000,
        "Length of one clip of an audio dataset: silence is packed so well that a small file may hold days of it.",
    ),
    _whole(
        "EVAL_STT_MAX_AUDIO_BYTES",
        200_000_000,
        1,
        2_000_000_000,
        "Size of one clip of an audio dataset; checked when the dataset is added.",
    ),
    _whole("EVAL_STT_UPLOAD_CONCURRENCY", 16, 1, 200, "Clips on their way to a provider at once."),
    _whole(
        "EVAL_STT_SIGNED_URL_SECONDS",
        172_800,
        60,
        604_800,
        "How long an address of a clip can be used where a provider fetches clips by signed URLs: longer than a batch "
        "may wait in its queue. S3 allows seven days.",
    ),
    _real(
        "EVAL_LEASE_PATIENCE_SECONDS",
        15,
        2,
        600,
        "How long another machine's lease on a stage must stand still before it is taken over.",
    ),
    Setting(
        "EVAL_LEDGER_AUTO_UPGRADE",
        "Whether a process that meets a ledger with an older schema upgrades it, or leaves that to "
        "`eval-pipeline ledger upgrade`.",
        "always",
        _one_of("always", "never"),
        "always or never",
    ),
    Setting(
        "EVAL_PROJECT_CREDENTIALS_FILE",
        "YAML or JSON file that maps a project to its own OPENAI_…, GEMINI_… and LANGFUSE_… variables; "
        "a project sees no other's.",
        None,
        str,
        "a path",
    ),
)


_PLACES = frozenset({"EVAL_PIPELINE_HOME", "EVAL_PIPELINE_DATABASE_URL", "EVAL_PIPELINE_STORE"})
"""Read where the home, the ledger and the store are opened."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of this process, checked."""

    fast_max_unique_rows: int
    fast_max_file_bytes: int
    fast_failure_threshold: float
    batch_failure_threshold: float
    fast_api_concurrency: int
    batch_poll_seconds: float
    batch_max_requests: int
    batch_max_bytes: int
    batch_max_embedding_inputs: int
    batch_max_rounds: int
    batch_window_seconds: float
    batch_create_timeout_seconds: float
    batch_cancel_grace_seconds: float
    batch_lost_seconds: float
    retry_max_attempts: int
    item_time_budget_seconds: float
    request_timeout_seconds: float
    max_duplication_factor: int
    max_file_bytes: int
    max_answer_bytes: int
    stt_max_audio_seconds: float
    stt_max_audio_bytes: int
    stt_upload_concurrency: int
    stt_signed_url_seconds: int
    lease_patience_seconds: float
    ledger_auto_upgrade: str
    project_credentials_file: Path | None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read and check every ``EVAL_…`` variable; an unknown one is refused, for it is a typing error."""
        variables = os.environ if environ is None else environ
        _refuse_unknown(variables)
        read = {
            setting.variable.removeprefix("EVAL_").lower(): _read(setting, variables.get(setting.variable))
            for setting in SETTINGS
        }
        path, upgrade = read.pop("project_credentials_file"), read.pop("ledger_auto_upgrade")
        return cls(
            **cast("dict[str, int]", read),
            ledger_auto_upgrade=str(upgrade),
            project_credentials_file=Path(str(path)) if path else None,
        )


def _read(setting: Setting, text: str | None) -> Value:
    if text is None or not text.strip():
        return setting.default
    try:
        return setting.parse(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{setting.variable} is {text!r}, which is not {setting.accepts}",
            code="invalid_setting",
            hint=f"set {setting.accepts}, or leave it unset for the default {setting.default}",
        ) from error


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {setting.variable for setting in SETTINGS} | _PLACES
    unknown = sorted(name for name in environ if name.startswith("EVAL_") and name not in known)
    if unknown:
        raise UsageError(
            f"unknown setting {unknown[0]}",
            code="invalid_setting",
            hint=f"known settings: {', '.join(sorted(known))}",
        )
