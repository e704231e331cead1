"""What ``dataset add`` does for each kind of dataset; the modules that read files are imported when one is added."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import click

from eval_pipeline.core.datasets import DatasetKind
from eval_pipeline.core.names import validate_project
from eval_pipeline.wiring.deployment import Deployment

if TYPE_CHECKING:
    from eval_pipeline.runs.dataset_adding import AddedDataset


@dataclass(frozen=True, slots=True)
class Addition:
    """What is to be added."""

    name: str
    source: str
    factor: int | None
    language: str | None
    golden_columns: tuple[str, ...]
    sheet: str | None
    about: str | None
    project: str


def add_any(deployment: Deployment, kind: DatasetKind, wanted: Addition) -> "AddedDataset":
    """Add either kind; what belongs to the other one is refused."""
    match kind:
        case DatasetKind.TEXT:
            _refuse(wanted.language, option="--language", kind=kind)
            return _add_text(deployment, wanted)
        case DatasetKind.STT:
            _refuse(wanted.factor, option="--duplication-factor", kind=kind)
            _refuse(wanted.golden_columns or None, option="--golden-column", kind=kind)
            _refuse(wanted.sheet, option="--sheet", kind=kind)
            return _add_audio(deployment, wanted)
        case _:
            assert_never(kind)


def _refuse(value: object, *, option: str, kind: DatasetKind) -> None:
    if value is not None:
        raise click.UsageError(f"{option} means nothing for a dataset of kind {kind}")


def _add_text(deployment: Deployment, wanted: Addition) -> "AddedDataset":
    from eval_pipeline.text_eval.catalog import add_dataset  # noqa: PLC0415 - pyarrow: not for list and show
    from eval_pipeline.text_eval.golden.row import GoldenOptions  # noqa: PLC0415 - the same

    return add_dataset(
        ledger=deployment.ledger,
        objects=deployment.objects,
        project=validate_project(wanted.project),
        name=wanted.name,
        path=Path(wanted.source),
        duplication_factor=wanted.factor,
        description=wanted.about,
        settings=deployment.settings,
        options=GoldenOptions(golden_columns=wanted.golden_columns, sheet=wanted.sheet),
    )


def _add_audio(deployment: Deployment, wanted: Addition) -> "AddedDataset":
    from eval_pipeline.stt_eval.clips.catalog import add_audio_dataset  # noqa: PLC0415 - pyarrow: not for list and show

    return add_audio_dataset(
        ledger=deployment.ledger,
        objects=deployment.objects,
        project=validate_project(wanted.project),
        name=wanted.name,
        source=wanted.source,
        language=wanted.language,
        description=wanted.about,
        settings=deployment.settings,
        s3_client=deployment.s3_client,
    )
