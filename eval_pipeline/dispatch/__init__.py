"""Brings every item of a stage to a provider and back, exactly once, on ports alone."""
