"""What every result of a text run is made from, and what the stages that paid for it say together."""

from dataclasses import dataclass

from eval_pipeline.core.cost import join_costs
from eval_pipeline.core.documents import JsonDict
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.thresholds import Threshold
from eval_pipeline.runs.stored_run import check_made_from


@dataclass(frozen=True, slots=True)
class Answers:
    """What every result is made from."""

    dataset: StageReader
    responses: StageReader
    embeddings: StageReader | None = None
    scores: StageReader | None = None

    def inputs(self) -> dict[str, StageReader]:
        """Name what there is."""
        stages = {
            "dataset": self.dataset,
            "responses": self.responses,
            "embeddings": self.embeddings,
            "scores": self.scores,
        }
        return {name: stage for name, stage in stages.items() if stage is not None}

    def check_match(self) -> None:
        """Raise when embeddings or scores were made from other answers."""
        for stage in (self.embeddings, self.scores):
            if stage is not None:
                check_made_from(stage, self.responses)


def worst_threshold(answers: Answers) -> Threshold:
    """Return the verdict that counts most failures: the embeddings' where they were made, else the responses'."""
    paid = [stage for stage in (answers.responses, answers.embeddings) if stage is not None]
    verdicts = [Threshold.from_json(stage.manifest.summary["threshold"]) for stage in paid]
    return max(verdicts, key=lambda verdict: (verdict.breached, verdict.failed))


def run_cost(answers: Answers) -> JsonDict:
    """Join the costs of the paid stages."""
    paid = {"response": answers.responses, "embedding": answers.embeddings}
    found = {name: stage.manifest.summary.get("cost") for name, stage in paid.items() if stage is not None}
    return join_costs({name: cost for name, cost in found.items() if cost is not None})
