"""One module a stage, with ``make``."""
