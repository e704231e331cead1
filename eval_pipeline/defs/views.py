"""Makes the assets that tell of all runs of a flow together: without partitions, made anew whenever somebody asks."""

from collections.abc import Iterator

import dagster as dg
import orjson

from eval_pipeline.core.names import DEFAULT_PROJECT
from eval_pipeline.defs.failures import explained
from eval_pipeline.defs.flows import SEVERITIES
from eval_pipeline.defs.forms import view_form
from eval_pipeline.runs.flow import FlowPlan, View, Viewed, view_of_runs_module
from eval_pipeline.wiring.deployment import Deployment


def views_of(plan: FlowPlan) -> list[dg.AssetsDefinition]:
    """Make the asset of every view of a flow."""
    return [_view(plan, view) for view in plan.views]


def _view(plan: FlowPlan, view: View) -> dg.AssetsDefinition:
    form = view_form(view)
    key = dg.AssetKey([str(plan.flow), view.name])

    @dg.asset(
        key=key,
        group_name=str(plan.flow),
        description=view.says,
        deps=[dg.AssetKey([str(plan.flow), name]) for name in view.inputs],
        owners=["team:evaluation"],
        kinds={"json"},
        required_resource_keys={"deployment"},
        check_specs=[dg.AssetCheckSpec(check.name, asset=key, description=check.says) for check in view.checks],
    )
    def made(
        context: dg.AssetExecutionContext,
        config: form,  # type: ignore[valid-type]  # made from the declaration; Dagster reads it
    ) -> Iterator[dg.MaterializeResult[None]]:
        given = config.given()  # type: ignore[attr-defined]  # a Form
        deployment: Deployment = context.resources.deployment
        with explained():
            viewed = view_of_runs_module(plan.flow, view.name).make(deployment, given)
            url = _stored(deployment, plan, view, viewed, project=given.get("project", DEFAULT_PROJECT))
        yield _told(view, viewed, url=url)

    return made


def _stored(deployment: Deployment, plan: FlowPlan, view: View, viewed: Viewed, *, project: str) -> str:
    stored = f"views/{plan.flow}/{project}/{view.name}.json"
    deployment.objects.put(stored, orjson.dumps(viewed.document, option=orjson.OPT_INDENT_2))
    return deployment.objects.url(stored)


def _told(view: View, viewed: Viewed, *, url: str) -> dg.MaterializeResult[None]:
    from eval_pipeline.defs.metadata import facts_of  # noqa: PLC0415 - not when this loads

    return dg.MaterializeResult(
        metadata=facts_of({**viewed.summary, "url": url}),
        check_results=[
            dg.AssetCheckResult(
                check_name=check.name,
                passed=(outcome := viewed.checks[check.name]).passed,
                severity=SEVERITIES[outcome.severity],
                description=outcome.words,
                metadata=dict(outcome.facts),
            )
            for check in view.checks
        ],
    )
