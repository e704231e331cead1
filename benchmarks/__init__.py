"""Speed and memory as ratios to limits that are measured in the same run: ``python -m benchmarks``."""
