"""Sessions, weeks, comparisons and the trust in judges for a person at a terminal."""

from collections.abc import Sequence

import click

from eval_pipeline.cli.output import printable, write_table, write_warning
from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.reporting.amounts import half_up

_NONE = "-"
_NAME_CHARACTERS = 40


def write_overview(document: Json) -> None:
    """Write one page of sessions."""
    rows = [_overview_row(session) for session in document["sessions"]]
    headers = ("SESSION", "NAME", "LAST ACTIVE", "MESSAGES", "+", "-", "STATUS", "MEAN", "GOAL", "JUDGED IN")
    write_table(headers, rows)
    first, shown = document["offset"], len(rows)
    of = f"{document['total']:,} sessions"
    click.echo(f"{first + 1:,}-{first + shown:,} of {of}" if shown else f"none here; there are {of}")


def _overview_row(session: Json) -> Sequence[object]:
    result: Json = session["result"] or {}
    reasons = f" ({', '.join(session['reasons'])})" if session["reasons"] else ""
    return (
        session["session_id"],
        _cut(session["name"] or ""),
        (session["last_active"] or _NONE)[:16],
        f"{session['message_count']:,}",
        f"{session['likes']:,}",
        f"{session['dislikes']:,}",
        f"{'* ' if session['pinned'] else ''}{session['status']}{reasons}",
        half_up(result.get("mean")),
        half_up(result.get("averages", {}).get("goal_completion")),
        result.get("run", ""),
    )


def write_stats(document: Json) -> None:
    """Write the weeks of every series."""
    if not document["series"]:
        click.echo(_nothing_judged(document))
    for series in document["series"]:
        experts = ", ".join(f"{name} {model}" for name, model in series["models"].items())
        click.echo(
            printable(
                f"panel {series['panel_version']} ({experts}): {series['sessions']:,} sessions, "
                f"weeks from Monday in {document['time_zone']}"
            )
        )
        rows = [row for row in series["rows"] if row["sessions"] or row["bucket"] == "overall"]
        axes = [name for name in rows[0]["axes"] if any(row["axes"][name]["n"] for row in rows)] if rows else []
        write_table(
            ("WEEK", "COMPLEXITY", "SESSIONS", *(axis.upper().replace("_", " ") for axis in axes), "+", "-", "COST"),
            [_week_row(row, axes) for row in rows],
        )
        if series["undated"]:
            write_warning(f"{series['undated']:,} sessions have no last activity, and belong to no week")


def _nothing_judged(document: Json) -> str:
    whose = "" if document["profile"] is None else f" of profile {printable(document['profile'])}"
    if document["last_active"] is None:
        return f"no session{whose} was judged so far"
    told = f"no session{whose} of these weeks was judged; the last judged one was active {document['last_active'][:10]}"
    days = document["days_to_last_active"]
    return told if days is None else f"{told}: --days {days} shows it"


def _week_row(row: Json, axes: Sequence[str]) -> Sequence[object]:
    return (
        row["week"],
        row["bucket"],
        f"{row['sessions']:,}",
        *(_axis_words(row["axes"][axis]) for axis in axes),
        f"{row['likes']:,}",
        f"{row['dislikes']:,}",
        f"${row['cost_usd']:.4f}{'+' if row['unpriced'] else ''}",
    )


def _axis_words(axis: Json) -> str:
    interval = axis["interval"]
    if interval is None:
        return half_up(axis["mean"])
    return f"{half_up(axis['mean'])} [{half_up(interval['low'])}, {half_up(interval['high'])}]"


def write_comparison(document: Json) -> None:
    """Write what two runs came to, axis by axis."""
    sessions, first, second = document["sessions"], document["first"], document["second"]
    click.echo(
        f"{sessions['both']:,} sessions were judged in both; {first} has {sessions['first']:,} and {second} "
        f"{sessions['second']:,}"
    )
    if not document["same_instrument"]:
        reasons = ", ".join(document["instrument_changes"])
        write_warning(f"the runs were judged by different panels ({reasons}): a difference may be one of the judges")
    if sessions["changed_content"]:
        write_warning(f"{sessions['changed_content']:,} of them had another content in {second}")
    write_table(
        ("AXIS", first, second, "PAIRS", "DIFFERENCE", "95 % INTERVAL", "VERDICT"),
        [_comparison_row(axis) for axis in document["axes"]],
    )
    if document["changed"]:
        click.echo("\nmost changed:")
        rows = [(one["session_id"], half_up(one["first"]), half_up(one["second"])) for one in document["changed"]]
        write_table(("SESSION", first, second), rows)


def _comparison_row(axis: Json) -> Sequence[object]:
    known = axis["low"] is not None
    return (
        axis["axis"],
        _axis_words(axis["first"]),
        _axis_words(axis["second"]),
        f"{axis['paired']:,}",
        _NONE if axis["difference"] is None else f"{axis['difference']:+.1f}",
        f"{axis['low']:+.1f} to {axis['high']:+.1f}" if known else "",
        axis["verdict"] if axis["paired"] else "no session in both",
    )


def write_calibration(document: Json) -> None:
    """Write how far the judges of a run are to be trusted."""
    click.echo("experts among each other (Krippendorff's alpha, ordinal; 1: they agree, 0: as by chance)")
    rows = [(axis["axis"], f"{axis['sessions']:,}", *_coefficient(axis["alpha_ordinal"])) for axis in document["axes"]]
    write_table(("AXIS", "SESSIONS", "ALPHA", "95 % INTERVAL"), rows)
    people = [(axis, one) for axis in document["axes"] for one in axis["against_people"]]
    if people:
        click.echo("\nagainst people (quadratic kappa; people: between them, which no judge can be expected to exceed)")
        write_table(
            (
                "AXIS",
                "JUDGE",
                "RATED",
                "KAPPA",
                "95 % INTERVAL",
                "SPEARMAN",
                "ERROR",
                "BIAS",
                "BETWEEN PEOPLE",
                "WEIGHT",
            ),
            [_people_row(axis, one) for axis, one in people],
        )
    for predicted in document["predicted"]:
        _write_predicted(predicted)
    for stage in document["checks"].values():
        for check in stage.values():
            if not check["passed"]:
                write_warning(check["words"])


def _people_row(axis: Json, one: Json) -> Sequence[object]:
    weight = one["weight"]
    return (
        axis["axis"],
        one["judge"],
        f"{one['kappa']['n']:,}",
        *_coefficient(one["kappa"]),
        _coefficient(one["spearman"])[0],
        half_up(one["mean_error"]),
        _NONE if one["bias"] is None else f"{one['bias']:+.1f}",
        _NONE if axis["people_kappa"] is None else f"{axis['people_kappa']:.2f}",
        "" if weight is None else f"{weight['weight']:.2f}{' (gated out)' if weight['is_gated_out'] else ''}",
    )


def _write_predicted(predicted: Json) -> None:
    counts = f"{predicted['good']:,} good and {predicted['bad']:,} bad sessions"
    if not predicted["enough"]:
        click.echo(f"\nby {predicted['by']}: {counts} are too few")
        return
    click.echo(f"\nby {predicted['by']}: {counts} (AUC; 0.5: as by chance)")
    rows = [(area["name"], *_coefficient(area["area"])) for area in predicted["judges"]]
    rows += [
        (f"{area['name']} alone ({area['direction']} is better)", *_coefficient(area["area"]))
        for area in predicted["baselines"]
    ]
    write_table(("JUDGE", "AUC", "95 % INTERVAL"), rows)
    if predicted["note"]:
        click.echo(printable(predicted["note"]))


def _coefficient(found: Json) -> tuple[str, str]:
    if found["value"] is None:
        return (_NONE, (found["undefined"] or "").replace("_", " "))
    interval = "" if found["low"] is None else f"{found['low']:.2f} to {found['high']:.2f}"
    return (f"{found['value']:.3f}", interval)


def write_drift(document: Json) -> None:
    """Write whether judges moved: on every anchor set, or between two runs."""
    for one in document["anchors"]:
        click.echo(f"anchor set {one['name']}, version {one['number']}, latest run {one['latest'] or 'none'}")
        if one["drift"] is not None:
            click.echo(f"{one['drift']['now']} held against {one['drift']['before']}")
            _write_pair(one["drift"])
        for reason in one["due"]:
            write_warning(f"anchor set {one['name']} is due to be judged again: {reason}")
    if document["anchors"]:
        return
    if "now" in document:
        _write_pair(document)
    else:
        click.echo("nothing was judged again by judges that are others now")


def _write_pair(document: Json) -> None:
    changed = ", ".join(document["changed_experts"]) or "no expert"
    click.echo(f"{document['sessions']:,} sessions were judged in both with the same content; {changed} changed")
    write_table(
        ("EXPERT", "AXIS", "SESSIONS", "SHIFT", "95 % INTERVAL", "KAPPA", "NULLS"),
        [_drift_row(one) for one in document["moved"]],
    )
    for alarm in document["alarms"]:
        write_warning(alarm)
    if not document["alarms"]:
        click.echo("no judge moved")


def _drift_row(one: JsonDict) -> Sequence[object]:
    known = one["low"] is not None
    return (
        one["expert_id"],
        one["axis"],
        f"{one['n']:,}",
        _NONE if one["shift"] is None else f"{one['shift']:+.1f}",
        f"{one['low']:+.1f} to {one['high']:+.1f}" if known else "",
        _coefficient(one["kappa"])[0],
        f"{one['nulls_before']:.0%} to {one['nulls_now']:.0%}",
    )


def _cut(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= _NAME_CHARACTERS else shown[: _NAME_CHARACTERS - 1] + "…"
