"""``eval-pipeline session``: the verbs of every flow, and how sessions stand."""

from eval_pipeline.cli.flow_group import flow_group
from eval_pipeline.cli.session_views import VIEWS
from eval_pipeline.core.runs import Flow

command = flow_group(Flow.SESSIONS)
for verb in VIEWS:
    command.add_command(verb)
