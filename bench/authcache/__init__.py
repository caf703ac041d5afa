"""Benchmarks of the auth cache, beside its peers."""
