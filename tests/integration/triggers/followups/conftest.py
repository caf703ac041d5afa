"""The routes of follow-ups, called in this process as agents and operators call them."""

from tests.integration.shared.followups.conftest import crm, mails, web

__all__ = ["crm", "mails", "web"]
