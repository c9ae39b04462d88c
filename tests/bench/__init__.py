"""Benchmarks of the collector and the loader; `python -m tests.bench` runs them."""
