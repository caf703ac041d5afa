"""Who hands mails over: the port, its adapters, and which of them FOLLOWUPS_PROVIDER names."""

from __future__ import annotations

from shared.followups.sending.senders.base import EmailSender
from shared.followups.sending.senders.communication import CommunicationAccount, CommunicationSender
from shared.followups.sending.senders.resend import ResendSender
from shared.followups.sending.senders.ses import SesAccount, SesSender
from shared.followups.sending.senders.smtp import SmtpSender
from shared.followups.settings import settings
from shared.platform.errors import TerminalError
from shared.platform.settings import settings as platform_settings

NEEDED = {
    "resend": "RESEND_API_KEY",
    "ses": "SES_REGION and the access key of SES",
    "communication": "COMMUNICATION_ENDPOINT",
}


def sender() -> EmailSender:
    """The sender that the settings name.

    Raises:
        TerminalError: the provider's account is not set.
    """
    platform, own = platform_settings(), settings()
    match own.followups_provider:
        case "smtp":
            return SmtpSender(platform.smtp_host, platform.smtp_port)
        case "resend" if platform.resend_api_key is not None:
            return ResendSender(platform.resend_endpoint, platform.resend_api_key.get_secret_value())
        case "ses" if own.ses_region and own.ses_access_key_id and own.ses_secret_access_key:
            secret = own.ses_secret_access_key.get_secret_value()
            return SesSender(SesAccount(own.ses_region, own.ses_access_key_id, secret, own.ses_configuration_set))
        case "communication" if own.communication_endpoint:
            key = own.communication_key.get_secret_value() if own.communication_key else None
            return CommunicationSender(CommunicationAccount(own.communication_endpoint, key))
        case provider:
            raise TerminalError(
                f"FOLLOWUPS_PROVIDER is {provider}, but its account is missing.",
                code="settings",
                remedy=f"Set {NEEDED[provider]}.",
            )
