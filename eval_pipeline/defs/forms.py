"""The forms that Dagster's Launchpad shows of what a flow's options are."""

from typing import Any

import dagster as dg
from pydantic import Field, create_model

from eval_pipeline.core.options import OptionKind, RunOption
from eval_pipeline.runs.flow import Stage, View


class Form(dg.Config):
    """What a stage is given in the Launchpad."""

    def given(self) -> dict[str, Any]:
        """Return what a person filled in: what was left as it stood is for the flow to decide, as on a command line."""
        fields = type(self).model_fields
        given = self.model_dump()
        return {
            name: value
            for name, value in given.items()
            if value not in (None, "", [], {}) and value != fields[name].default
        }


class PaidForm(Form):
    """How a stage that pays is made again."""

    refresh: bool = Field(
        default=False, description="Start over and pay again, instead of asking only what is missing."
    )
    resend_lost: bool = Field(
        default=False, description="Send items again whose batch result is gone; they may be charged a second time."
    )
    endpoint_changed: bool = Field(
        default=False,
        description="Accept that another endpoint is asked than the run was specified for; every row then says which.",
    )

    def again(self) -> dict[str, bool]:
        """Return what a person accepts, as a task takes it."""
        return {name: bool(getattr(self, name)) for name in PaidForm.model_fields}


def form_of(stage: Stage) -> type[Form] | None:
    """Make the form of a stage; None where there is nothing to fill in."""
    base = PaidForm if stage.paid is not None else Form
    fields: dict[str, Any] = {each.name: _field(each) for each in stage.options if _KINDS[each.kind] is not None}
    if not fields:
        return base if stage.paid is not None else None
    form: type[Form] = create_model(f"{stage.name.title()}Form", __base__=base, __doc__=stage.form, **fields)
    return form


def view_form(view: View) -> type[Form]:
    """Make the form of what is told of all runs."""
    fields: dict[str, Any] = {each.name: _field(each) for each in view.options}
    form: type[Form] = create_model(f"{view.name.title()}Form", __base__=Form, __doc__=view.form, **fields)
    return form


def _field(option: RunOption) -> tuple[Any, Any]:
    kind, empty = _KINDS[option.kind] or (str, None)
    default = option.default if option.default is not None else empty
    return (kind if default is not None else kind | None), Field(
        default=default, description=option.form or option.help
    )


_KINDS: dict[OptionKind, tuple[Any, Any] | None] = {
    OptionKind.TEXT: (str, None),
    OptionKind.WORD: (str, None),
    OptionKind.WHOLE: (int, None),
    OptionKind.NUMBER: (float, None),
    OptionKind.TEXTS: (list[str], []),
    OptionKind.VALUES: (list[Any], []),
    OptionKind.MAPPING: (dict[str, Any], {}),
    OptionKind.CONFIG_FILE: None,
}
"""Type and empty value of each kind; None: it is no matter of forms."""
