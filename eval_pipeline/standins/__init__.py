"""Local servers that speak the OpenAI, Gemini, Anthropic and Langfuse protocols, for the demo, tests and benchmarks.

They share no code with the pipeline and import no vendor SDK, so that an error of ours cannot
hide behind the same error here. What they answer, count and charge is written down where it is
computed, so that a test can compute it too.
"""
