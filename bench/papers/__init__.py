"""Benchmarks of the papers."""
