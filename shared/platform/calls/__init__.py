"""Calls to other services: the credentials for them, retries, rate limits, Azure Resource Manager."""
