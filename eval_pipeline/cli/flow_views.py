"""How the runs of each flow are read and written: what is imported only where that flow's runs are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eval_pipeline.cli.output import write_error, write_json
from eval_pipeline.core.errors import EvalPipelineError
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.runs import Flow
from eval_pipeline.wiring.deployment import Deployment


@dataclass(frozen=True, slots=True)
class FlowView:
    """Reads the JSON document of a run, and writes it for a person."""

    show: Callable[[Deployment, RunKey], dict[str, Any]]
    write: Callable[[Mapping[str, Any]], None]


def view_of(flow: Flow) -> FlowView:
    """Return the view of a flow's runs."""
    return _stt_view() if flow is Flow.STT else _text_view()


def write_run(document: Mapping[str, Any], *, flow: Flow, as_json: bool) -> None:
    """Write the document of a run; for a person, with the error that it ended with."""
    if as_json:
        write_json(document)
        return
    view_of(flow).write(document)
    if document["error"]:
        write_error(EvalPipelineError(**document["error"]))


def _text_view() -> FlowView:
    from eval_pipeline.cli.text_view import write_run  # noqa: PLC0415 - only where a text run is shown
    from eval_pipeline.text_eval.view import show_run  # noqa: PLC0415 - pyarrow: only where stages are read

    return FlowView(show=lambda deployment, key: show_run(deployment, key, detail=False), write=write_run)


def _stt_view() -> FlowView:
    from eval_pipeline.cli.stt_view import write_run  # noqa: PLC0415 - only where a speech run is shown
    from eval_pipeline.stt_eval.view import show_run  # noqa: PLC0415 - pyarrow: only where stages are read

    return FlowView(show=lambda deployment, key: show_run(deployment, key, detail=False), write=write_run)
