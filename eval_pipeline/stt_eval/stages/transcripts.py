"""The ``transcripts`` stage: every clip at every model, live or collected from batches; a row for each, always."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace

from eval_pipeline.core.chunks import chunks
from eval_pipeline.core.cost import Costs, Tariff
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.errors import EvalPipelineError, IncompleteError
from eval_pipeline.core.outcomes import ItemError, ItemRecord, ItemStatus
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.file_host import FileHost
from eval_pipeline.core.ports.models import Transcriber, TranscriptionRequest
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunMode
from eval_pipeline.core.tallies import ItemCost, RecordTally, missing_record, price_item
from eval_pipeline.dispatch.records import RecordIndex
from eval_pipeline.dispatch.refusals import REFUSES_ALL
from eval_pipeline.runs.at_work import StageAtWork, at_work
from eval_pipeline.runs.batches import batch_notes, go_on, start_over_once
from eval_pipeline.runs.live_stage import LiveModel, ask_missing
from eval_pipeline.runs.rounds import close_rounds
from eval_pipeline.runs.task import Task
from eval_pipeline.stt_eval import tables
from eval_pipeline.stt_eval.batches import Recordings
from eval_pipeline.stt_eval.clips.stored_clips import clip_of
from eval_pipeline.stt_eval.language.languages import one_language
from eval_pipeline.stt_eval.models import SpeechModel
from eval_pipeline.stt_eval.prompts import prompt_for
from eval_pipeline.stt_eval.rates import mode_of, rate_of, tariff_of
from eval_pipeline.stt_eval.scoring.scores import language_of
from eval_pipeline.stt_eval.spec import SttSpec
from eval_pipeline.stt_eval.transcript_rows import HEARD, Item, as_heard, items_of, transcript_row
from eval_pipeline.wiring import models
from eval_pipeline.wiring.endpoint import Endpoint

ROWS_AT_ONCE = 500


def make(task: Task, *, dataset: StageReader, transcription_batch: StageReader) -> StageReader | None:
    """Transcribe what is not transcribed yet, then store every pair; None while batches are out."""
    deployment, ref = task.deployment, task.ref("transcripts")
    with at_work(
        deployment, ref, schema=tables.TRANSCRIPTS, inputs={"dataset": dataset}, dagster_run_id=task.dagster_run_id
    ) as stage:
        spec = SttSpec.from_json(stage.run.spec)
        if task.refresh:
            start_over_once(task, stage)
        work = _Transcribing.of(task, stage=stage, dataset=dataset, spec=spec)
        work.ask_live()
        with Recordings(task, spec, dataset) as recordings:
            in_batches = spec.mode is RunMode.BATCH
            if in_batches and not go_on(task, stage, recordings.work, batch=transcription_batch, made_from=dataset):
                return None
            work.raise_if_nothing_came()
            told = replace(work.store(), batch_notes=batch_notes(task, ref))
            stage.files.finish(told.to_json())
            if in_batches:
                recordings.take_away()
    close_rounds(task.deployment.objects, task.deployment.ledger, ref)
    return deployment.stages.open(ref)


@dataclass(slots=True)
class _Transcribing:
    """One materialization of ``transcripts``."""

    task: Task
    stage: StageAtWork
    dataset: StageReader
    spec: SttSpec
    tariffs: dict[SpeechModel, Tariff]
    faults: dict[SpeechModel, EvalPipelineError] = field(default_factory=dict)
    """What is wrong with the accounts of models that were asked live."""

    @classmethod
    def of(cls, task: Task, *, stage: StageAtWork, dataset: StageReader, spec: SttSpec) -> "_Transcribing":
        return cls(task, stage, dataset, spec, {model: tariff_of(model, spec) for model in spec.models})

    def ask_live(self) -> None:
        """Ask the models that are not asked in batches, one after the other, for every clip without a transcript.

        A model that cannot be asked at all does not keep the others from answering.
        """
        for model in self.spec.models:
            if mode_of(model, self.spec) is RunMode.BATCH:
                continue
            try:
                self._ask_model(model)
            except EvalPipelineError as error:
                if isinstance(error, IncompleteError) and error.code != REFUSES_ALL:
                    raise
                self.faults[model] = error
                self.task.say(f"{model.label}: {error.message}; {error.hint}")

    def _ask_model(self, model: SpeechModel) -> None:
        asked = LiveModel(
            endpoint=model.endpoint,
            name=model.name,
            concurrency=self.spec.concurrency,
            shown_as=f"transcripts {model.label}",
            total=self.dataset.manifest.rows,
            items=lambda: self._items_of(model),
            id_of=lambda item: item.item_id,
            body_of=self._request,
            open=self._open,
            price=lambda record: self._cost(record, model),
            answered=HEARD,
            keeps_files=True,
        )
        ask_missing(self.task, self.stage, asked)

    def _open(self, endpoint: Endpoint, host: FileHost | None) -> AbstractAsyncContextManager[Transcriber]:
        settings = self.task.deployment.settings
        return models.transcriber(endpoint, host=host, settings=settings, concurrency=self.spec.concurrency)

    def _cost(self, record: ItemRecord, model: SpeechModel) -> ItemCost:
        return price_item(record, self.tariffs[model], at=self.stage.run.created_at)

    def _items_of(self, model: SpeechModel) -> Iterator[Item]:
        return (item for item in items_of(self.dataset, self.spec.models) if item.model == model)

    def _request(self, item: Item) -> TranscriptionRequest:
        language = one_language(language_of(item.sample, self.spec.language))
        return TranscriptionRequest(
            clip=clip_of(self.task.deployment.objects, item.sample),
            model=item.model.name,
            prompt=prompt_for(self.spec.prompt, language=language),
            language=language,
        )

    def raise_if_nothing_came(self) -> None:
        """Raise what is wrong with the accounts when it is wrong with all of them: there is nothing to store."""
        if self.faults.keys() == set(self.spec.models):
            raise next(iter(self.faults.values()))

    def store(self) -> PaidSummary:
        """Write every pair in the order of the dataset; returns what the stage came to."""
        total = RecordTally(threshold=self.spec.failure_threshold, model=self.spec.models[0].label)
        each = {model: RecordTally(threshold=1.0, model=model.label) for model in self.spec.models}
        with self.stage.journal.spool() as spool:
            for rows in chunks(self._rows(RecordIndex(spool), total, each), size=ROWS_AT_ONCE):
                self.stage.files.append(rows)
        return self._summary(total, each)

    def _rows(
        self, index: RecordIndex, total: RecordTally, each: Mapping[SpeechModel, RecordTally]
    ) -> Iterator[JsonDict]:
        for item in items_of(self.dataset, self.spec.models):
            record = index.find(item.item_id) or self._absent(item)
            cost = self._cost(record, item.model)
            for tally in (total, each[item.model]):
                tally.add(as_heard(record), cost)
            yield transcript_row(item, record, cost)

    def _absent(self, item: Item) -> ItemRecord:
        """Say why there is no record of a pair: its model could not be asked, or nothing came back."""
        fault = self.faults.get(item.model)
        if fault is None:
            return missing_record(item.item_id)
        error = ItemError(code=fault.code, type="account", message=fault.message, transient=False)
        return ItemRecord(item.item_id, ItemStatus.FAILED, error=error, attempts=0, account_fault=True)

    def _summary(self, total: RecordTally, each: Mapping[SpeechModel, RecordTally]) -> PaidSummary:
        costs = {model.label: tally.cost(rate=rate_of(model, self.spec)) for model, tally in each.items()}
        return PaidSummary(
            threshold=total.verdict,
            mode=str(self.spec.mode),
            counts=total.counts,
            cost=Costs.of(costs),
            calls=total.calls,
            by_model={model.label: tally.of_model() for model, tally in each.items()},
            faults=[f"{model.label}: {error.message}; {error.hint}" for model, error in self.faults.items()],
        )
