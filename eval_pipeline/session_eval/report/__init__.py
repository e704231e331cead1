"""The report of a run of sessions: are they good, at what, since when, where not, can the judges be trusted? Pure."""
