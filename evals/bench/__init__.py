"""Benchmarks: ratios measured in one run, CPU time beside wall time."""
