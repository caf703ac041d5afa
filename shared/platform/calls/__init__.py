"""Calls to other services: retries, rate limits, Azure Resource Manager."""
