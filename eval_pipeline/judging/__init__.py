"""Language models as judges of what others said and did: rubrics, panels, prompts, verdicts, and how far to trust them.

Pure: it knows nothing of Dagster, of providers, or of where texts come from.
"""
