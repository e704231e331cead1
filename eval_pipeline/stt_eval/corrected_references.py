"""Scoring a run against references that were corrected since: those of another version of a dataset, sample by sample.

What was asked stays as it was; only what the answers are compared with is another. The stage ``scores`` keeps which
version that was, and everything that shows scores shows it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eval_pipeline.core.datasets import DatasetKind
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.names import shown
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.runs.claims import find_dataset_of
from eval_pipeline.stt_eval.clips.store import audio_samples
from eval_pipeline.stt_eval.scoring.scores import SampleRows
from eval_pipeline.wiring.deployment import Deployment

REFERENCES = "references"
"""Among the figures of a run: the version that was scored against, where it is not the run's own."""


@dataclass(frozen=True, slots=True)
class CorrectedSamples:
    """The samples of a run with other references."""

    dataset: StageReader
    references: Mapping[str, str | None]
    """By sample; what is not among them keeps its own."""

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[JsonDict]:
        """Stream the rows of the stage ``dataset``, each with the reference that it has now."""
        for row in self.dataset.rows(columns):
            if "reference" in row and row["sample_id"] in self.references:
                yield {**row, "reference": self.references[row["sample_id"]]}
            else:
                yield row


@dataclass(frozen=True, slots=True)
class Correction:
    """What was found when the references of another version were laid over a run's own."""

    samples: SampleRows
    facts: Json
    """For ``REFERENCES``."""


def correct(deployment: Deployment, *, project: str, reference: str, dataset: StageReader) -> Correction:
    """Lay the references of ``NAME`` or ``NAME@VERSION`` over the samples of a run.

    Samples are found by id and sound; a sample that the version does not have keeps its own reference.

    Raises:
        NotFoundError: ``dataset_not_found``.
        UsageError: ``no_common_samples``.
    """
    version = find_dataset_of(DatasetKind.STT, deployment=deployment, project=project, reference=reference)
    theirs = {
        (sample.sample_id, sample.audio_sha256): sample.reference
        for sample in audio_samples(deployment.objects, version)
    }
    found: dict[str, str | None] = {}
    changed = total = 0
    for row in dataset.rows(("sample_id", "audio_sha256", "reference")):
        total += 1
        name = (row["sample_id"], row["audio_sha256"])
        if name in theirs:
            found[row["sample_id"]] = theirs[name]
            changed += theirs[name] != row["reference"]
    if not found:
        raise UsageError(
            f"no sample of the run is in {shown(version.name)} version {version.version[:12]}",
            code="no_common_samples",
            hint="give a version of the dataset with the same clips under the same ids",
        )
    facts = {"dataset": version.name, "version": version.version, "changed": changed, "kept": total - len(found)}
    return Correction(CorrectedSamples(dataset, found), facts)


def samples_as_scored(
    deployment: Deployment, *, project: str, dataset: StageReader, scores: StageReader | None
) -> SampleRows:
    """Return the samples with the references that the scores were made with."""
    facts = None if scores is None else (scores.manifest.summary.get("figures") or {}).get(REFERENCES)
    if facts is None:
        return dataset
    reference = f"{facts['dataset']}@{facts['version']}"
    return correct(deployment, project=project, reference=reference, dataset=dataset).samples
