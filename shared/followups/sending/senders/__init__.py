"""Who hands mails over: the port, its adapters, and which of them FOLLOWUPS_PROVIDER names."""

from __future__ import annotations

from shared.followups.sending.senders.base import EmailSender
from shared.followups.sending.senders.resend import ResendSender
from shared.followups.sending.senders.smtp import SmtpSender
from shared.followups.settings import settings
from shared.platform.errors import TerminalError
from shared.platform.settings import settings as platform_settings


def sender() -> EmailSender:
    """The sender that the settings name.

    Raises:
        TerminalError: the provider's key is not set.
    """
    platform = platform_settings()
    if settings().followups_provider == "smtp":
        return SmtpSender(platform.smtp_host, platform.smtp_port)
    if platform.resend_api_key is None:
        raise TerminalError(
            "FOLLOWUPS_PROVIDER is resend, but its key is missing.", code="settings", remedy="Set RESEND_API_KEY."
        )
    return ResendSender(platform.resend_endpoint, platform.resend_api_key.get_secret_value())
