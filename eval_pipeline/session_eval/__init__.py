"""Recorded agent sessions, judged by a panel of language models.

Flow: spec -> sessions -> judgement_batch -> judgements -> session_scores -> agreement -> report; session_scores -> traces
"""  # noqa: E501 - a flow is one line, a test compares it with the asset graph
