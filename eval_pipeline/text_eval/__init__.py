"""Text evaluation: golden questions, a model's answers, scores, a report.

Flow: spec -> dataset -> response_batch -> responses -> embedding_batch -> embeddings -> scores -> report; scores -> traces
"""  # noqa: E501 - a flow is one line, a test compares it with the asset graph
