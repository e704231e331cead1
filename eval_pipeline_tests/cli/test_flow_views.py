from pathlib import Path

import pytest

from eval_pipeline.cli.flow_views import view_of
from eval_pipeline.core.errors import NotFoundError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.wiring.deployment import Deployment


@pytest.mark.parametrize(("flow", "word"), [(Flow.TEXT, "text"), (Flow.STT, "stt")])
def test_every_flow_is_read_and_written_by_its_own_view(tmp_path: Path, flow: Flow, word: str) -> None:
    view = view_of(flow)
    deployment = Deployment(environ={"EVAL_PIPELINE_HOME": str(tmp_path)})

    with pytest.raises(NotFoundError, match=f"{flow} run nobody"):
        view.show(deployment, RunKey.of(project="default", run="nobody"))

    assert view.write.__module__ == f"eval_pipeline.cli.{word}_view"
    deployment.close()
