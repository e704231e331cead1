"""The command line of a flow, made from its declaration: run (and what it would cost), show, export, rescore."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from eval_pipeline.cli.deployments import open_deployment
from eval_pipeline.cli.estimate_view import write_estimate
from eval_pipeline.cli.execution import execute_and_show, rescore_and_show
from eval_pipeline.cli.flow_views import write_run
from eval_pipeline.cli.output import common_options, write_json, write_warning
from eval_pipeline.cli.run_config import read_settings
from eval_pipeline.cli.run_options import export_options, launch_options
from eval_pipeline.core.counting import counted
from eval_pipeline.core.names import RunKey
from eval_pipeline.core.options import OptionKind, RunOption
from eval_pipeline.core.runs import Flow
from eval_pipeline.core.stages import StageRef
from eval_pipeline.runs.claims import claim, requester
from eval_pipeline.runs.control import check_idle
from eval_pipeline.runs.flow import (
    ChecksWhatIsGiven,
    FlowPlan,
    WarnsBefore,
    estimate_module,
    plan_of,
    prepare_module,
    stage_module,
    view_module,
)

Verb = Callable[..., int | None]


def flow_group(flow: Flow) -> click.Group:
    """Make the group of a flow's verbs."""
    plan = plan_of(flow)
    group = click.Group(name=plan.command, help=f"{plan.title}.")
    for verb in (_run(plan), _show(plan), _export(plan), _rescore(plan)):
        group.add_command(verb)
    return group


def _run(plan: FlowPlan) -> click.Command:
    def run(run: str, *, estimate: bool, wait: bool, project: str, as_json: bool, **flags: Any) -> int:  # noqa: ANN401 - an option each
        deployment = open_deployment()
        given = read_settings(flags.pop(CONFIG_FILE, None), flags)
        prepared = prepare_module(plan.flow).prepare_given(
            given, project=project, run=run, deployment=deployment, needs_key=not estimate
        )
        module = estimate_module(plan.flow)
        if estimate:
            write_estimate(module.estimate_run(prepared, deployment=deployment), as_json=as_json)
            return 0
        for warning in module.warnings_of(prepared, deployment=deployment) if isinstance(module, WarnsBefore) else ():
            write_warning(f"{warning['message']}\n{warning['hint']}")
        claim(prepared, flow=plan.flow, requested_by=requester(), deployment=deployment, here=wait)
        return execute_and_show(deployment, prepared.key, flow=plan.flow, wait=wait, as_json=as_json)

    return _command(_with_options(launch_options(run), plan.options), name="run", words=plan.words.run)


def _show(plan: FlowPlan) -> click.Command:
    def show(run: str, *, detail: bool, project: str, as_json: bool) -> None:
        view = view_module(plan.flow)  # pyarrow: only where stages are read
        document = view.show_run(open_deployment(), RunKey.of(project=project, run=run), detail=detail)
        write_run(document, flow=plan.flow, as_json=as_json)

    detail = click.option("--detail", is_flag=True, help=plan.words.detail)
    return _command(detail(common_options(show)), name="show", words="Show what a run came to.")


def _export(plan: FlowPlan) -> click.Command:
    def export(run: str, *, output: Path, bom: bool, project: str, as_json: bool, shape: str = "") -> None:
        key = RunKey.of(project=project, run=run)
        chosen = {"shape": shape} if plan.export_shapes else {}
        rows = view_module(plan.flow).export_run(open_deployment(), key, output=output, bom=bom, **chosen)
        if as_json:
            told = {"format": shape} if plan.export_shapes else {}
            write_json({"run": run, **told, "output": str(output), "rows": rows})
            return
        click.echo(f"wrote {counted(rows, 'row')} to {output}")

    verb: Verb = export_options(export)
    if plan.export_shapes:
        shapes = click.Choice(plan.export_shapes)
        verb = click.option("--format", "shape", type=shapes, default=plan.export_shapes[0], show_default=True)(verb)
    return _command(verb, name="export", words=plan.words.export)


def _rescore(plan: FlowPlan) -> click.Command:
    first = plan.stage(plan.rescore_from)

    def rescore(run: str, *, project: str, as_json: bool, **flags: Any) -> int:  # noqa: ANN401 - one option each
        given = {name: list(value) if isinstance(value, tuple) else value for name, value in flags.items() if value}
        module = stage_module(plan.flow, first.name)
        if isinstance(module, ChecksWhatIsGiven):
            module.check(given)
        deployment = open_deployment()
        key = RunKey.of(project=project, run=run)
        check_idle(deployment, flow=plan.flow, key=key)
        for name in plan.paid_stages:
            if name in first.inputs and name not in first.optional:
                deployment.stages.open(StageRef(flow=plan.flow, key=key, stage=name))
        return rescore_and_show(deployment, key, flow=plan.flow, as_json=as_json, given=given)

    verb = _with_options(common_options(rescore), first.options)
    return _command(verb, name="rescore", words=plan.words.rescore)


def _command(verb: Verb, *, name: str, words: str) -> click.Command:
    return click.command(name=name, help=words)(click.argument("run")(verb))


def _with_options(verb: Verb, options: Sequence[RunOption]) -> Verb:
    """Give a verb its options; help shows them in the order in which they are declared."""
    for option in reversed(options):
        if option.flag != "":
            verb = _option(option)(verb)
    return verb


def _option(option: RunOption) -> Callable[[Verb], Verb]:
    flag = "--" + (option.flag or option.name).replace("_", "-")
    several = option.kind in {OptionKind.TEXTS, OptionKind.VALUES}
    kind = _Words(option) if option.choices else _TYPES[option.kind]
    return click.option(flag, option.name, metavar=option.metavar, type=kind, multiple=several, help=option.help)


class _Words(click.Choice[str]):
    """One of a few words, or another word for one of them that help does not tell."""

    def __init__(self, option: RunOption) -> None:
        super().__init__(option.choices)
        self._also = option.also

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(self._also.get(value, value), param, ctx)


CONFIG_FILE = "config_file"
_TYPES: Mapping[OptionKind, Any] = {
    OptionKind.TEXT: str,
    OptionKind.WORD: str,
    OptionKind.WHOLE: int,
    OptionKind.NUMBER: float,
    OptionKind.TEXTS: str,
    OptionKind.VALUES: str,
    OptionKind.MAPPING: str,
    OptionKind.CONFIG_FILE: click.Path(path_type=Path),
}
