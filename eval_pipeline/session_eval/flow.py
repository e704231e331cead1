"""The session flow as it is declared: its stages, what a person may set, what the command line says of it."""

from eval_pipeline.core.documents import Json
from eval_pipeline.core.options import OptionKind, RunOption, config_file, options_of
from eval_pipeline.core.runs import Flow
from eval_pipeline.runs.flow import Asks, Check, CommandWords, FlowPlan, Paid, Stage, View
from eval_pipeline.session_eval.request import SessionRequest


def _seats(spec: Json) -> int:
    """Return how many judgements of a session there are: experts times samples."""
    return len(spec["judges"]["seats"]) * int(spec["judges"]["samples"])


def _is_verdict(request_id: str) -> bool:
    """Tell whether a record of the journal is a judge's first verdict: what comes before and after it is beside it."""
    return request_id.endswith("-v")


_PROJECT = RunOption(name="project", default="default", form="Whose sessions.")

PLAN = FlowPlan(
    flow=Flow.SESSIONS,
    command="session",
    title="Session evaluation",
    says="Judge recorded agent sessions by a panel: how good they are, and how far the judges are to be trusted.",
    stages=(
        Stage(
            name="spec",
            says="Frozen specification of the run: which sessions, the panel with all of its text, thresholds, a hash.",
            kinds=("json",),
            options=(*options_of(SessionRequest), config_file("Any of these settings; sessions is a list.")),
            form="What to judge. Leave everything empty to make the stages of a run again as it was specified.",
        ),
        Stage(
            name="sessions",
            says="The sessions that the run judges, each with its facts and the axes that apply to it.",
            inputs=("spec",),
        ),
        Stage(
            name="judgement_batch",
            says="Batches of judgements at the providers of the panel; a fast run needs none.",
            inputs=("sessions",),
            kinds=("openai", "gemini"),
            submits_for="judgements",
        ),
        Stage(
            name="judgements",
            says="What every expert of the panel said of every session, its quotes checked, or why it said nothing.",
            inputs=("sessions", "judgement_batch"),
            kinds=("openai", "gemini", "parquet"),
            paid=Paid(
                pool="judges",
                threshold="The worse of two shares is not greater than the run's threshold: failed judgements of all, "
                "and sessions without a score of their main axis of all.",
                asks=Asks(rows_of="sessions", each=_seats, counts=_is_verdict),
            ),
            checks=(
                Check(name="parse_failures", says="At most 2 % of the judgements could not be read."),
                Check(name="verified_evidence", says="At least 90 % of the quotes stand where the judges say."),
                Check(name="canaries", says="No judge did what the material that it judged told it to do."),
            ),
        ),
        Stage(
            name="session_scores",
            says="The panel's score of every session and axis, or why there is none. Free to make again.",
            inputs=("sessions", "judgements"),
            form="How judgements are put together again.",
            options=(
                RunOption(
                    name="weights",
                    metavar="panel|RUN",
                    help="What experts weigh: panel, or by what people rated in RUN; default: as before.",
                    form="panel: experts weigh what the panel says. The name of a run: by what people rated there.",
                ),
            ),
            checks=(Check(name="disagreement", says="How many scores rest on experts who disagree widely."),),
        ),
        Stage(
            name="agreement",
            says="How far the experts agree with each other, with people, and beyond what length alone would say.",
            inputs=("sessions", "judgements", "session_scores"),
            kinds=("json",),
            checks=(
                Check(name="alpha", says="Krippendorff's alpha of every axis is .4 or more, from 20 sessions on."),
                Check(name="trusted", says="The panel agrees with people, or tells more than a session's length does."),
            ),
        ),
        Stage(
            name="report",
            says="Report for a domain expert: one self-contained HTML page.",
            inputs=("sessions", "judgements", "session_scores", "agreement"),
            optional=("session_scores", "agreement"),
            kinds=("html",),
        ),
        Stage(
            name="traces",
            says="Scores of every session in Langfuse; off without LANGFUSE keys.",
            inputs=("sessions", "session_scores"),
            kinds=("langfuse",),
            may_be_left_out=True,
        ),
    ),
    views=(
        View(
            name="weekly_stats",
            says="How sessions go, week by week, by how much they asked for; one series for every panel that judged.",
            inputs=("session_scores",),
            options=(
                _PROJECT,
                RunOption(
                    name="days", kind=OptionKind.WHOLE, form="How far back, 1 to 365; empty: 30. Weeks are whole."
                ),
                RunOption(name="profile", form="Only sessions of this profile; empty: all."),
                RunOption(name="time_zone", form="Where weeks begin, as Asia/Kolkata; empty: as configured."),
            ),
            form="Which weeks to tell of.",
            checks=(Check(name="adds_up", says="The buckets of every week hold what the week holds."),),
        ),
        View(
            name="judge_drift",
            says="Whether the judges moved: sessions that were judged again by judges that are others now.",
            inputs=("judgements",),
            options=(
                _PROJECT,
                RunOption(name="before", form="The run to hold the other against; empty: the latest that can be."),
                RunOption(name="now", form="The later run; empty: the latest that can be."),
                RunOption(name="anchors", form="The anchor set; empty: every one of the project."),
            ),
            form="Which runs to hold against each other. Leave all empty for the anchor sets, or else the latest pair.",
            checks=(
                Check(
                    name="still",
                    says="No judge moved: its levels by less than 5, kappa with the baseline is .6 or more, nulls rose "
                    "by less than 10 points.",
                ),
                Check(name="anchors", says="No judge became another one since the anchor sets were judged."),
            ),
        ),
    ),
    rescore_from="session_scores",
    budget=True,
    verbs=("ingest", "list", "show", "export", "delete", "feedback", "run", "rescore"),
    words=CommandWords(
        run="""Judge recorded sessions as RUN: a new name of A-Z a-z 0-9 . _ -.

        Example: eval-pipeline session run nightly --mode fast --limit 20
        """,
        detail="Add every judgement: levels, reasons, quotes, or the reason why there are none.",
        export="Write every judgement to a file: session, expert, levels, reasons, quotes, cost.",
        rescore="Score the stored judgements of RUN again and write its report anew. Calls nobody.",
    ),
)
