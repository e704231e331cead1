"""From what other programs record to the JSON of sessions, a module a format.

A format whose records are whole sessions reads one record after the other. One whose records are pieces (spans,
observations) takes them apart first, and puts a session together when all of its pieces are there.
"""
