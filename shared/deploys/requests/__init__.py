"""Requests of deployments: accepted, put on the queue, answered."""
