"""Every setting, its meaning, its default and its check, once: as a field. The documentation is made from them."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Self, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from eval_pipeline.core.errors import UsageError

Value = int | float | str | Path | None
T = TypeVar("T")
_META = "setting"


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable ``EVAL_…``."""

    variable: str
    meaning: str
    default: Value
    parse: Callable[[str], Value]
    accepts: str


def _setting(default: T, *, parse: Callable[[str], Value], accepts: str, meaning: str) -> T:
    """Make a field that knows how it is read; its variable is its name."""
    # what dataclasses calls a field is no value of its type before the class is made
    made: T = field(default=default, metadata={_META: Setting("", meaning, cast("Value", default), parse, accepts)})
    return made


def _whole(default: int, low: int, high: int, meaning: str) -> int:
    def parse(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return _setting(default, parse=parse, accepts=f"a whole number from {low:,} to {high:,}", meaning=meaning)


def _real(default: float, low: float, high: float, meaning: str) -> float:
    def parse(text: str) -> float:
        number = float(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return _setting(default, parse=parse, accepts=f"a number from {low:g} to {high:,g}", meaning=meaning)


def _one_of(words: tuple[str, ...], meaning: str) -> str:
    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return _setting(words[0], parse=parse, accepts=" or ".join(words), meaning=meaning)


def _zone(default: str, meaning: str) -> str:
    def parse(text: str) -> str:
        try:
            return ZoneInfo(text).key
        except (ZoneInfoNotFoundError, OSError, ValueError):  # a folder of zones, or no path at all
            raise ValueError(text) from None

    return _setting(default, parse=parse, accepts="the IANA name of a time zone, such as Asia/Kolkata", meaning=meaning)


def _path(meaning: str) -> Path | None:
    default: Path | None = None
    return _setting(default, parse=Path, accepts="a path", meaning=meaning)


_PLACES = frozenset({"EVAL_PIPELINE_HOME", "EVAL_PIPELINE_DATABASE_URL", "EVAL_PIPELINE_STORE"})
"""Read where the home, the ledger and the store are opened."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of this process, checked."""

    fast_max_unique_rows: int = _whole(
        10,
        1,
        100_000_000,
        "Questions a fast run may have, before repeats.",
    )
    fast_max_file_bytes: int = _whole(
        1_048_576,
        1,
        10**12,
        "Size of the golden file a fast run may have; checked when the run starts, not when a dataset is added.",
    )
    fast_failure_threshold: float = _real(
        0.5,
        0,
        1,
        "A fast run fails when failed / total is greater than this. A run can set its own.",
    )
    batch_failure_threshold: float = _real(
        0.5,
        0,
        1,
        "A batch run fails when failed / total is greater than this. A run can set its own.",
    )
    fast_api_concurrency: int = _whole(
        10,
        1,
        1_000,
        "Live calls under way at once; adapts downwards while the provider answers 429. A run can set its own.",
    )
    batch_poll_seconds: float = _real(
        30,
        0.1,
        3_600,
        "Between two looks at open batches; Dagster's sensor looks every 5 seconds at most.",
    )
    batch_max_requests: int = _whole(
        50_000,
        1,
        1_000_000,
        "Requests of one batch; fewer where the provider takes fewer (Anthropic: 100,000).",
    )
    batch_max_bytes: int = _whole(
        200_000_000,
        1_000,
        10**10,
        "Bytes of one request file; fewer where the provider takes fewer (Anthropic: 256 MB, Gemini: 2 GB).",
    )
    batch_max_embedding_inputs: int = _whole(
        50_000,
        1,
        1_000_000,
        "Texts of one embedding batch; the provider's limit.",
    )
    batch_max_rounds: int = _whole(
        3,
        1,
        20,
        "How often items that failed in passing are sent, the first time included.",
    )
    batch_window_seconds: float = _real(
        86_400,
        1,
        2_592_000,
        "The provider's promise. A batch that is open for longer, by the provider's clock and with 300 s of slack, is "
        "cancelled, what is done is kept, the rest is sent again.",
    )
    batch_create_timeout_seconds: float = _real(
        60,
        0.1,
        3_600,
        "How long the answer to the creation of a batch is waited for. An unanswered one is looked for, and made again "
        "only 60 s after that, when two lists did not show it.",
    )
    batch_cancel_grace_seconds: float = _real(
        900,
        0,
        86_400,
        "How long a batch that was cancelled may take to end before it counts as lost.",
    )
    batch_lost_seconds: float = _real(
        300,
        0,
        86_400,
        "How long, by the provider's clock, a batch that it does not find, or the results of one that is completed, "
        "are looked for before they count as lost.",
    )
    batch_max_result_bytes: int = _whole(
        5_000_000_000,
        10_000,
        10**13,
        "Size of one file of results, unpacked; a larger one is broken off. What it holds was paid for: with a larger "
        "limit `run retry` collects it.",
    )
    retry_max_attempts: int = _whole(
        5,
        1,
        20,
        "Attempts at one item before a transient error is final.",
    )
    item_time_budget_seconds: float = _real(
        600,
        1,
        86_400,
        "From the first attempt at an item to the start of its last one.",
    )
    request_timeout_seconds: float = _real(
        120,
        0.1,
        3_600,
        "One call of a provider, from sending to the last byte.",
    )
    max_duplication_factor: int = _whole(
        5,
        1,
        100,
        "How often a question may be repeated.",
    )
    max_file_bytes: int = _whole(
        2_000_000_000,
        1,
        10**12,
        "Size of a golden file, manifest or file of verdicts that is handed in, as a file or as a pipe.",
    )
    max_answer_bytes: int = _whole(
        32_000_000,
        10_000,
        2_000_000_000,
        "Size of one live answer of a provider, unpacked; a larger one is broken off and counts as malformed.",
    )
    stt_max_audio_seconds: float = _real(
        14_400,
        1,
        1_000_000,
        "Length of one clip of an audio dataset: silence is packed so well that a small file may hold days of it.",
    )
    stt_max_audio_bytes: int = _whole(
        200_000_000,
        1,
        2_000_000_000,
        "Size of one clip of an audio dataset; checked when the dataset is added.",
    )
    stt_upload_concurrency: int = _whole(
        16,
        1,
        200,
        "Clips on their way to a provider at once.",
    )
    stt_signed_url_seconds: int = _whole(
        172_800,
        60,
        604_800,
        "How long an address of a clip can be used where a provider fetches clips by signed URLs: longer than a batch "
        "may wait in its queue. S3 allows seven days.",
    )
    time_zone: str = _zone(
        "UTC",
        "Where the weeks of judged sessions begin: on Monday at midnight there.",
    )
    lease_patience_seconds: float = _real(
        15,
        2,
        600,
        "How long another machine's lease on a stage must stand still before it is taken over.",
    )
    ledger_auto_upgrade: str = _one_of(
        ("always", "never"),
        "Whether a process that meets a ledger with an older schema upgrades it, or leaves that to "
        "`eval-pipeline ledger upgrade`.",
    )
    project_credentials_file: Path | None = _path(  # noqa: RUF009 - a field, as all others
        "YAML or JSON file that maps a project to its own OPENAI_…, GEMINI_… and LANGFUSE_… variables; "
        "a project sees no other's.",
    )

    endpoints_file: Path | None = _path(  # noqa: RUF009 - a field, as all others
        "YAML file of endpoints beside the built-in openai and gemini, and of own prices: [endpoints](endpoints.md).",
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read and check every ``EVAL_…`` variable; an unknown one is refused, for it is a typing error."""
        variables = os.environ if environ is None else environ
        _refuse_unknown(variables)
        read = {_name(setting): _read(setting, variables.get(setting.variable)) for setting in SETTINGS}
        return cls(**cast("dict[str, int]", read))  # type: ignore[arg-type]  # each was read by its own field


def _settings() -> tuple[Setting, ...]:
    return tuple(replace(each.metadata[_META], variable=f"EVAL_{each.name.upper()}") for each in fields(Settings))


SETTINGS: tuple[Setting, ...] = _settings()


def _name(setting: Setting) -> str:
    return setting.variable.removeprefix("EVAL_").lower()


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
