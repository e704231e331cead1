"""How a stand-in starts, whatever its protocol; what a protocol has besides stands in its own options."""

from dataclasses import dataclass, field
from pathlib import Path

from eval_pipeline.standins.batch_faults import BatchRule
from eval_pipeline.standins.faults import FaultRule
from eval_pipeline.standins.judge_script import JudgeScript
from eval_pipeline.standins.limits import RateLimits
from eval_pipeline.standins.replay import Recordings


@dataclass(frozen=True, slots=True, kw_only=True)
class StandinOptions:
    """Faults, latency and limits can be changed while it runs.

    Args:
        recordings: Answers to replay; every other question gets a made-up answer.
        judge_script: What judges say of which item; what it leaves out is derived.
        accepted_keys: The API keys to accept; any key when empty.
        latency_s: Time that every valid request takes.
        faults: The fault rules in force.
        limits: When to answer 429 for real.
        batch_seconds: Time from a batch's creation to its end.
        batch_polls: How many looks each phase of a batch lasts; 0 for no look.
        batch_faults: The scenarios that batches meet.
        state_folder: Where files and batches outlive the stand-in; a temporary folder without.
    """

    recordings: Recordings = field(default_factory=lambda: Recordings({}))
    judge_script: JudgeScript = field(default_factory=JudgeScript)
    accepted_keys: frozenset[str] = frozenset()
    latency_s: float = 0.0
    faults: tuple[FaultRule, ...] = ()
    limits: RateLimits = field(default_factory=RateLimits)
    batch_seconds: float = 0.0
    batch_polls: int = 0
    batch_faults: tuple[BatchRule, ...] = ()
    state_folder: Path | None = None
