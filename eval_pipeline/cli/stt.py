"""``eval-pipeline stt``: the verbs of every flow, and what people said of transcripts."""

from eval_pipeline.cli.flow_group import flow_group
from eval_pipeline.cli.stt_feedback import feedback
from eval_pipeline.core.runs import Flow

command = flow_group(Flow.STT)
command.add_command(feedback)
