"""The figures of a run: rates with intervals, which model is better than which, errors by word."""
