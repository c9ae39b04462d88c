"""Benchmarks of collector, ETL and dashboard; `python -m tests.bench` runs them."""
