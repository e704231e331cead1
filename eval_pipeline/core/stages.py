"""What a stage leaves behind: parts, and a manifest that is written last and alone is trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from eval_pipeline.core.documents import Json
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow


@dataclass(frozen=True, slots=True)
class StageRef:
    """A stage of a run; its name is the same in the asset key, the module and the storage prefix."""

    flow: Flow
    key: RunKey
    stage: str

    @property
    def prefix(self) -> str:
        """Where the stage lies in the object store."""
        return f"{self.flow}/{self.key.project}/{self.key.run}/{self.stage}"

    def __str__(self) -> str:
        return f"{self.flow}/{self.stage} of run {self.key.partition}"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a stage: key below the stage's prefix, rows (0 for files that are no table), bytes, sha256."""

    name: str
    rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a finished stage consists of and what made it."""

    stage: StageRef
    attempt: int
    """The fencing token of the lease under which it was written; parts of other attempts lie in other folders."""
    parts: tuple[Part, ...]
    rows: int
    columns: Mapping[str, str]
    """Column name to type; empty for stages that are no table."""
    schema_version: int
    spec_hash: str
    code_version: str
    created_at: datetime
    summary: Json
    """JSON facts about the whole stage: counts, costs, notes."""
    inputs: Mapping[str, str]
    """Upstream stage to the sha256 of the manifest that was read."""
    sha256: str
    """Of the manifest's own canonical JSON without this field."""
    contents: Mapping[str, str] = field(default_factory=dict)
    """Upstream stage to the digest of what it held; what earlier versions wrote tells it of some stages only."""

    @property
    def content_sha256(self) -> str:
        """Digest of the stage's bytes: the same when it was made again with the same outcome."""
        return sha256("".join(part.sha256 for part in self.parts).encode()).hexdigest()

    def was_made_from(self, upstream: "Manifest") -> bool:
        """Tell whether a stage was made from what another one holds now: the only rule of what is out of date.

        A stage that was made again with the same outcome leaves everything in force that was made from it; so does one
        of which nothing is known.
        """
        name = upstream.stage.stage
        if name not in self.inputs or self.inputs[name] == upstream.sha256:
            return True
        if name not in self.contents:
            return bool(self.contents)
        return self.contents[name] == upstream.content_sha256
