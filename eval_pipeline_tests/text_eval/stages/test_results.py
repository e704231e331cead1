"""Traces to Langfuse: a matter of their own, that never fails the run."""

from collections.abc import Iterator

import pytest

from eval_pipeline.core.runs import RunState
from eval_pipeline_tests.laboratory import FAST, Laboratory, open_deployment
from eval_pipeline_tests.providers.langfuse.runs import PUBLIC_KEY, SECRET_KEY, Server, langfuse_server

FREE = {**FAST, "scorers": ["exact_match"]}


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with langfuse_server() as server:
        yield server


@pytest.fixture
def langfuse(running: Server) -> Server:
    running.forget()
    return running


def _keys(url: str) -> dict[str, str]:
    return {"LANGFUSE_PUBLIC_KEY": PUBLIC_KEY, "LANGFUSE_SECRET_KEY": SECRET_KEY, "LANGFUSE_BASE_URL": url}


def test_traces_are_delivered_once_however_often_they_are_made(lab: Laboratory, langfuse: Server) -> None:
    tracing = open_deployment(lab.deployment.home, lab.provider, **_keys(langfuse.url))

    first = lab.materialize("traced", config=FREE, deployment=tracing)
    again = lab.materialize("traced", stages=["traces"], deployment=tracing)

    assert first.success
    assert sorted(first.stages[-2:]) == ["report", "traces"]
    assert again.stages == ["traces"]
    assert again.metadata("traces")["langfuse"].startswith(langfuse.url)
    state = langfuse.state()
    assert (len(state["traces"]), len(state["scores"]), len(state["items"])) == (3, 3, 3)
    assert lab.state("traced") is RunState.COMPLETED


def test_langfuse_being_down_fails_traces_alone(lab: Laboratory, langfuse: Server) -> None:
    nobody = open_deployment(lab.deployment.home, lab.provider, **_keys("http://127.0.0.1:9"))

    made = lab.materialize("untraced", config=FREE, deployment=nobody)

    assert list(made.failures) == ["traces"]
    assert made.failures["traces"]
    assert "report" in made.stages
    assert (lab.state("untraced"), lab.run("untraced").error_code) == (RunState.COMPLETED, None)

    tracing = open_deployment(lab.deployment.home, lab.provider, **_keys(langfuse.url))
    assert lab.materialize("untraced", stages=["traces"], deployment=tracing).success
    assert len(langfuse.state()["traces"]) == 3
