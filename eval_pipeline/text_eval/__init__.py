"""Text evaluation: golden questions, a model's answers, scores, a report.

Flow: spec -> dataset -> response_batch -> responses -> embedding_batch -> embeddings -> scores -> report; scores -> traces
"""
