"""Speech-to-text evaluation: recorded clips, the transcripts of several models, error rates, people's verdicts.

Flow: spec -> dataset -> transcription_batch -> transcripts -> scores -> report
"""
