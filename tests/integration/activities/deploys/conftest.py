"""Deployments, on a real document database and a real blob store."""

from tests.integration.shared.deploys.conftest import cosmos, new, sent, state

__all__ = ["cosmos", "new", "sent", "state"]
