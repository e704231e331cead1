"""The verbs of the command line: usage, messages, exit codes, outputs."""
