"""An agent with clients, and sweeps that are played in this process."""

from tests.integration.shared.followups.conftest import crm, mails

__all__ = ["crm", "mails"]
