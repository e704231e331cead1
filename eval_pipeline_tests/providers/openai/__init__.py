"""Tests of the OpenAI adapters, against the stand-in server and recorded shapes."""
