"""What every declaration keeps to; that Dagster and the command line follow it is tested where they are."""

import inspect

import pytest

from eval_pipeline.core.runs import Flow
from eval_pipeline.definitions import defs
from eval_pipeline.runs.flow import (
    breached_module,
    estimate_module,
    plan_of,
    plans,
    prepare_module,
    stage_module,
    view_module,
)


def graph(flow: Flow) -> dict[str, set[str]]:
    """Return every stage's direct upstream stages, as Dagster has them."""
    nodes = defs.resolve_asset_graph().asset_nodes
    return {
        node.key.path[-1]: {parent.path[-1] for parent in node.parent_keys}
        for node in nodes
        if node.key.path[0] == flow
    }


def keywords(function: object) -> tuple[str, ...]:
    """Return the names of a function's keyword-only arguments."""
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    return tuple(each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY)


@pytest.mark.parametrize("flow", Flow)
def test_stages_are_those_of_the_graph_and_stand_behind_what_they_read(flow: Flow) -> None:
    upstream, stages = graph(flow), plan_of(flow).stage_names
    views = {view.name: set(view.inputs) for view in plan_of(flow).views}

    assert set(upstream) == {*stages, *views}
    assert {view: upstream[view] for view in views} == views
    for position, stage in enumerate(stages):
        assert upstream[stage] <= set(stages[:position]), stage


@pytest.mark.parametrize("flow", Flow)
def test_what_is_paid_for_may_be_submitted_by_a_stage_before_it(flow: Flow) -> None:
    plan = plan_of(flow)
    for stage in plan.stages:
        if stage.submits_for is not None:
            assert plan.stage(stage.submits_for).paid is not None
            assert stage.name in plan.stage(stage.submits_for).inputs
            assert plan.submitting(stage.submits_for) == stage.name


@pytest.mark.parametrize("flow", Flow)
def test_every_stage_is_the_module_of_its_name_and_takes_what_is_declared(flow: Flow) -> None:
    plan = plan_of(flow)
    for stage in plan.stages:
        module = stage_module(flow, stage.name)
        assert keywords(module.make) == stage.inputs, stage.name
        assert set(stage.optional) <= set(stage.inputs)
        if stage.paid is not None and stage.paid.asks is not None:
            assert stage.paid.asks.rows_of in stage.inputs


@pytest.mark.parametrize("flow", Flow)
def test_what_a_flow_does_is_found_under_the_names_that_all_share(flow: Flow) -> None:
    plan = plan_of(flow)

    assert keywords(prepare_module(flow).prepare_given) == ("project", "run", "deployment", "needs_key")
    assert keywords(estimate_module(flow).estimate_run) == ("deployment",)
    assert keywords(view_module(flow).show_run) == ("detail",)
    assert set(keywords(view_module(flow).export_run)) == {"output", "bom", *(["shape"] if plan.export_shapes else [])}
    if plan.paid_stages:
        assert callable(breached_module(flow).write_breached)
    assert plan.rescore_from in plan.stage_names


def test_no_two_flows_share_a_name_or_a_command() -> None:
    assert [plan.flow for plan in plans()] == list(Flow)
    assert len({plan.command for plan in plans()}) == len(Flow)
