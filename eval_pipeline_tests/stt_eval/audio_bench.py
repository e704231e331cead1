"""A ledger, a store and a folder with clips, for tests that add audio datasets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval_pipeline.core.errors import UsageError
from eval_pipeline.core.ports.object_store import ObjectStore
from eval_pipeline.runs.dataset_adding import AddedDataset
from eval_pipeline.storage.ledger import SqlLedger
from eval_pipeline.stt_eval.clips.catalog import add_audio_dataset
from eval_pipeline.stt_eval.clips.samples import Sample
from eval_pipeline.stt_eval.clips.store import audio_samples
from eval_pipeline.wiring.settings import Settings
from eval_pipeline_tests.stt_eval.recordings import encoded


def no_s3() -> Any:  # noqa: ANN401 - stands for boto3's client
    raise AssertionError("nothing here lies in S3")


class AudioBench:
    """Adds what lies in ``folder`` to a store."""

    def __init__(
        self, folder: Path, *, ledger: SqlLedger, objects: ObjectStore, s3_client: Callable[[], Any] = no_s3
    ) -> None:
        self.folder = folder
        self.ledger = ledger
        self.objects = objects
        self.s3_client = s3_client
        folder.mkdir(exist_ok=True)

    def clip(self, name: str, *, seconds: float = 0.1) -> Path:
        """Write a WAV file whose bytes its length makes its own."""
        return self.file(name, encoded("WAV", seconds=seconds))

    def file(self, name: str, content: bytes | str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def add(
        self, source: object = None, *, name: str = "clips", language: str | None = "hi", **settings: str
    ) -> AddedDataset:
        return add_audio_dataset(
            ledger=self.ledger,
            objects=self.objects,
            project="default",
            name=name,
            source=str(source or self.folder),
            language=language,
            description=None,
            settings=Settings.from_environment(settings),
            s3_client=self.s3_client,
        )

    def samples(self, added: AddedDataset) -> list[Sample]:
        return list(audio_samples(self.objects, added.dataset))

    def refusal(self, source: object = None, **settings: str) -> str:
        """Return what is said about what cannot be added; nothing of it is visible."""
        before = self.ledger.list_datasets(project="default", kind=None, max_unique_rows=None, limit=10, offset=0).total
        with pytest.raises(UsageError) as caught:
            self.add(source, name="refused", **settings)
        after = self.ledger.list_datasets(project="default", kind=None, max_unique_rows=None, limit=10, offset=0).total
        assert caught.value.hint
        assert before == after
        return caught.value.message

    def stored(self) -> list[str]:
        return [key.rpartition("/")[2] for key in self.objects.list("datasets")]
