"""Who hands mails over: the port, its adapters, and which of them FOLLOWUPS_PROVIDER names."""

from __future__ import annotations

from shared.followups.sending.senders.base import EmailSender
from shared.followups.sending.senders.smtp import SmtpSender
from shared.platform.settings import settings as platform_settings


def sender() -> EmailSender:
    """The sender that the settings name."""
    return SmtpSender(platform_settings().smtp_host, platform_settings().smtp_port)
