"""From what judges said of sessions to scores, weeks, agreement, calibration and drift. Pure."""
