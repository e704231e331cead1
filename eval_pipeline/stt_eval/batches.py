"""What the speech flow asks by batches: every clip of every model that has a batch API for audio.

Clips are brought to the provider before lines name them; the stored lines name them by content (``dispatch.delivery``).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from eval_pipeline.core.batches import BatchJob
from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.outcomes import Attempt, AttemptOutcome, ItemError, settle
from eval_pipeline.core.ports.file_host import HostedFile, HostedState
from eval_pipeline.core.ports.models import Clip
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunMode
from eval_pipeline.dispatch.batch_stage import BatchWork
from eval_pipeline.dispatch.collect import Handling
from eval_pipeline.dispatch.delivery import (
    Delivery,
    DeliveryPolicy,
    address,
    addresses,
    named_clips,
    not_yet,
    still_processed,
    write_filled,
)
from eval_pipeline.dispatch.records import RecordIndex, encode
from eval_pipeline.dispatch.submit import Order, Parcel
from eval_pipeline.runs.batch_items import Asks, answer_results, asks_again
from eval_pipeline.runs.rounds import first_round
from eval_pipeline.runs.task import Task
from eval_pipeline.storage.journal import Journal
from eval_pipeline.storage.objects import temporary_folder
from eval_pipeline.stt_eval.clips.stored_clips import clip_of
from eval_pipeline.stt_eval.models import SpeechModel
from eval_pipeline.stt_eval.prompts import prompt_for
from eval_pipeline.stt_eval.rates import mode_of
from eval_pipeline.stt_eval.request import AudioTransport
from eval_pipeline.stt_eval.scoring.scores import language_of
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.stt_eval.transcript_rows import Item, items_of
from eval_pipeline.wiring import models
from eval_pipeline.wiring.endpoint import Endpoint
from eval_pipeline.wiring.settings import Settings

UNDELIVERED = "clip_refused"
_CLIPS_AT_ONCE = 10_000
_MOST_PROCESSING = timedelta(hours=1)
"""So long a request file waits for clips that the provider still looks through."""


class Recordings:
    """The transcripts stage of a run, as work for batches; holds the connection to the file host inside a ``with``.

    Args:
        task: the stage's own.
        spec: of the run.
        dataset: its samples.
    """

    def __init__(self, task: Task, spec: SttSpec, dataset: StageReader) -> None:
        self._task = task
        self._spec = spec
        self._dataset = dataset
        self._ref = task.ref("transcripts")
        self._models = [model for model in spec.models if mode_of(model, spec) is RunMode.BATCH]
        self._open = ExitStack()
        self._delivery: Delivery | None = None

    @cached_property
    def _endpoint(self) -> Endpoint:
        """Whose batches the run uses; looked up when there is something to send or to collect."""
        return self._task.endpoints.find(self._models[0].endpoint)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def work(self) -> BatchWork:
        """Say what is asked and how transcripts are kept."""
        objects = self._task.deployment.objects
        return BatchWork(
            stage=self._ref,
            provider=self._endpoint.name,
            parcels=self._parcels,
            handling=Handling(read=models.clip_form(self._endpoint).read, writer=partial(answer_results, objects)),
            fill=self._filled,
            first_round=first_round(objects, self._ref),
            resend_lost=self._task.resend_lost,
        )

    def take_away(self) -> None:
        """Delete the clips at the provider, now that what was asked of them is stored."""
        if self._spec.audio_transport is AudioTransport.FILES_API:
            self._host_clips().take_away()

    @contextmanager
    def _parcels(self, number: int, anew: bool) -> Iterator[Iterable[Parcel]]:
        with Journal(self._task.deployment.objects, self._ref).spool() as spool:
            asks = asks_again(RecordIndex(spool), anew=anew, resend_lost=self._task.resend_lost)
            delivered = self._deliver(asks, number=number)
            refused = frozenset(sha for sha, file in delivered.items() if file.state is HostedState.FAILED)
            late = still_processed(delivered)
            # what waits for its clips is in files of its own: the others are not held back
            yield [
                Parcel(self._order(number, model), self._lines(model, asks, without))
                for without in (refused | late, delivered.keys() - late if late else None)
                if without is not None
                for model in self._models
            ]

    def _order(self, number: int, model: SpeechModel) -> Order:
        return Order(
            stage=self._ref,
            round=number,
            provider=model.endpoint,
            protocol=self._endpoint.protocol,
            model=model.name,
            endpoint=models.clip_form(self._endpoint).endpoint(model.name),
            limits=models.shard_limits(self._task.deployment.settings, protocol=self._endpoint.protocol),
        )

    def _wanted(self, asks: Asks | None) -> Iterator[Item]:
        for item in items_of(self._dataset, self._spec.models):
            if item.model in self._models and (asks is None or asks(item.item_id)):
                yield item

    def _lines(self, model: SpeechModel, asks: Asks | None, without: AbstractSet[str]) -> Iterator[bytes]:
        template = models.clip_form(self._endpoint).lines()
        for item in self._wanted(asks):
            sample = item.sample
            if item.model != model or sample["audio_sha256"] in without:
                continue
            yield template.line(
                item.item_id,
                prompt=prompt_for(self._spec.prompt, language=language_of(sample, self._spec.language)),
                mime_type=sample["mime_type"],
                file_uri=address(sample["audio_sha256"]),
            )

    def _deliver(self, asks: Asks | None, *, number: int) -> Mapping[str, HostedFile]:
        """Bring the clips of a round to the provider; those that it does not take end their items here and now."""
        if self._spec.audio_transport is not AudioTransport.FILES_API:
            return {}
        delivery = self._host_clips()
        total = self._dataset.manifest.rows
        delivered: dict[str, HostedFile] = {}

        def tell(done: int) -> None:
            self._task.progress.update(
                stage="clips uploaded", done=len(delivered) + done, failed=0, total=total, cost_usd=None
            )

        for pack in chunks(self._clips(asks), size=_CLIPS_AT_ONCE):
            delivered |= delivery.deliver(pack, verify=number > 0, on_progress=tell)
        refused = {sha: file for sha, file in delivered.items() if file.state is HostedState.FAILED}
        self._record_refused(asks, refused, number=number)
        return delivered

    def _clips(self, asks: Asks | None) -> Iterator[Clip]:
        seen: set[str] = set()
        for item in self._wanted(asks):
            if (sha256 := item.sample["audio_sha256"]) not in seen:
                seen.add(sha256)
                yield clip_of(self._task.deployment.objects, item.sample)

    def _record_refused(self, asks: Asks | None, refused: dict[str, HostedFile], *, number: int) -> None:
        if not refused:
            return
        lines = [
            encode(settle(item.item_id, _refused(refused[item.sample["audio_sha256"]]), attempts=1))
            for item in self._wanted(asks)
            if item.sample["audio_sha256"] in refused
        ]
        key = f"{self._ref.prefix}/journal/batch-r{number:02d}-refused.jsonl"
        self._task.deployment.objects.put(key, b"".join(line + b"\n" for line in lines))

    @contextmanager
    def _filled(self, job: BatchJob, stored: Path) -> Iterator[Path]:
        """Give the request file with the addresses of its clips, which expire or are secrets."""
        wanted = frozenset(named_clips(stored))
        with temporary_folder() as folder:
            yield write_filled(stored, Path(folder) / "requests.jsonl", uris=self._uris(job, wanted))

    def _uris(self, job: BatchJob, wanted: frozenset[str]) -> dict[str, str]:
        samples = self._samples_of(wanted)
        objects, settings = self._task.deployment.objects, self._task.deployment.settings
        if self._spec.audio_transport is AudioTransport.SIGNED_URL:
            expires_s = settings.stt_signed_url_seconds
            return {
                sample["audio_sha256"]: objects.signed_url(sample["audio_key"], expires_s=expires_s)
                for sample in samples
            }
        clips = [clip_of(objects, sample) for sample in samples]
        found = self._host_clips().deliver(clips, verify=job.round > 0)
        late = still_processed(found)
        if late and datetime.now(UTC) - job.created_at < _MOST_PROCESSING:
            raise not_yet(len(late))
        # a clip that never becomes usable keeps its name: its own request fails, in the provider's words
        return addresses({sha: replace(file, uri="") if sha in late else file for sha, file in found.items()})

    def _samples_of(self, wanted: frozenset[str]) -> Sequence[dict[str, Any]]:
        found = {row["audio_sha256"]: row for row in self._dataset.rows() if row["audio_sha256"] in wanted}
        return list(found.values())

    def _host_clips(self) -> Delivery:
        if self._delivery is None:
            deployment = self._task.deployment
            host = models.open_file_host(self._endpoint, settings=deployment.settings)
            if host is None:
                raise models.not_offered(self._endpoint, "files")
            self._open.callback(host.close)
            self._delivery = Delivery(
                host,
                deployment.objects,
                prefix=self._ref.prefix,
                now=partial(datetime.now, UTC),
                policy=_patience(deployment.settings),
            )
        return self._delivery


def _patience(settings: Settings) -> DeliveryPolicy:
    """Wait for clips that are looked through about as long as for the next look at batches."""
    patience_s = min(max(5.0, settings.batch_poll_seconds), 20.0)
    return DeliveryPolicy(at_once=settings.stt_upload_concurrency, patience_s=patience_s)


def _refused(file: HostedFile) -> Attempt:
    words = file.problem or "the provider gives no reason"
    message = f"the provider does not take the clip: {words}"
    error = ItemError(code=UNDELIVERED, type="file", message=message, transient=False)
    return Attempt(outcome=AttemptOutcome.FAILED, error=error)
