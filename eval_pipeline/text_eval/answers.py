"""What every result of a text run is made from, and what the stages that paid for it say together."""

from dataclasses import dataclass

from eval_pipeline.core.cost import Costs
from eval_pipeline.core.paid_summary import PaidSummary
from eval_pipeline.core.ports.stage_files import StageReader
from eval_pipeline.core.thresholds import Threshold, worst
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

    @property
    def paid(self) -> dict[str, PaidSummary]:
        """What the paid stages came to, each by what its cost is called."""
        stages = {"response": self.responses, "embedding": self.embeddings}
        return {name: PaidSummary.of(stage.manifest) for name, stage in stages.items() if stage is not None}

    def check_match(self) -> None:
        """Raise when embeddings or scores were made from other answers."""
        for stage in (self.embeddings, self.scores):
            if stage is not None:
                check_made_from(stage, self.responses)


def worst_threshold(answers: Answers) -> Threshold:
    """Return the verdict that counts most failures: the embeddings' where they were made, else the responses'."""
    return worst(paid.threshold for paid in answers.paid.values())


def run_cost(answers: Answers) -> Costs:
    """Join the costs of the paid stages."""
    return Costs.join({name: paid.cost for name, paid in answers.paid.items()})
