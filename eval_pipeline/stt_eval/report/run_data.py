"""What is known of a run without what people said of it, for every place that tells it."""

from datetime import UTC, datetime

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.documents import Json
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.runs import RunRecord
from eval_pipeline.reporting.export_columns import metadata_keys
from eval_pipeline.reporting.provenance import StageFact
from eval_pipeline.stt_eval.report.data import SpeechReportData
from eval_pipeline.stt_eval.spec import SttSpec


def data_of(run: RunRecord, figures: Json, *, dataset: StageReader, transcripts: StageReader) -> SpeechReportData:
    """Join what is known of a run without people's verdicts."""
    paid = PaidSummary.of(transcripts.manifest)
    return SpeechReportData(
        run=run,
        spec=SttSpec.from_json(run.spec),
        figures=figures,
        threshold=paid.threshold,
        cost=Costs.join({"transcripts": paid.cost}),
        stages=[StageFact.of(stage.manifest) for stage in (dataset, transcripts)],
        written_at=datetime.now(UTC),
        metadata_keys=metadata_keys(dataset),
    )
