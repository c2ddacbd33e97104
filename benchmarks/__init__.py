"""Speed, as ratios to neighbours in the same run: `python -m benchmarks`."""
