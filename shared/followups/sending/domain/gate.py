"""Lets no mail out before DNS shows that the sender's domain is ready, and looks again from time to time."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.followups import alerts
from shared.followups.sending.domain import records
from shared.followups.sending.domain.alignment import Sender, problems
from shared.followups.settings import settings
from shared.platform.errors import TransientError
from shared.platform.settings import settings as platform_settings
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from shared.followups.settings import FollowupSettings

GOOD_FOR, BAD_FOR = timedelta(days=1), timedelta(minutes=15)
"""How long what was found is believed; claims.DUE leaves mails alone for as long as it is bad."""
AZURES = ".azurecomm.net"
"""Domains that Azure manages, records included."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")

logger = logging.getLogger(__name__)


async def refused(*, look_again: bool = False) -> list[str]:
    """What keeps every mail from going out; none if the domain is ready, or the relay is this machine.

    `look_again` asks DNS whatever is known.
    """
    sender = _sender(settings())
    if sender is None:
        async with database() as connection:
            await connection.execute(
                "update followups.scheduler set domain_problems = '{}' where domain_problems <> '{}'"
            )
        return []
    key = f"{sender.domain} {settings().followups_provider} {sender.return_path} {','.join(sender.selectors)}"
    async with database() as connection:
        [last_check] = await rows(
            connection,
            "select domain_problems as problems, coalesce(domain_key = %(key)s, false) as known, coalesce(now() -"
            " domain_checked_at < case when cardinality(domain_problems) = 0 then %(good)s else %(bad)s end, false)"
            " as fresh from followups.scheduler",
            {"key": key, "good": GOOD_FOR, "bad": BAD_FOR},
        )
    if last_check["known"] and last_check["fresh"] and not look_again:
        return last_check["problems"]
    try:
        problems_now = problems(sender, await records.read(sender, settings().followups_dns_server))
    except TransientError as error:
        logger.warning("The sender's domain could not be checked.", extra={"reason": error.message})
        unread = ["DNS does not answer, so that nothing is known of the domain"]
        problems_now = last_check["problems"] if last_check["known"] else unread
    async with database() as connection:
        await connection.execute(
            "update followups.scheduler set domain_key = %s, domain_checked_at = now(), domain_problems = %s",
            (key, problems_now),
        )
    if problems_now:
        await alerts.alert_domain(sender.domain, problems_now)
    return problems_now


def _sender(own: FollowupSettings) -> Sender | None:
    """Who sends, as its provider has it by default; None if nothing is to be checked."""
    domain = own.followups_sender.rpartition("@")[2].lower()
    local = own.followups_provider == "smtp" and platform_settings().smtp_host in LOOPBACK
    if not domain or local or domain.endswith(AZURES) or not own.followups_check_domain:
        return None
    return_path, selectors, include = {
        "smtp": (domain, "", ""),
        "ses": ("", "", "amazonses.com"),
        "resend": (f"send.{domain}", "resend", "amazonses.com"),
        "communication": (
            domain,
            "selector1-azurecomm-prod-net,selector2-azurecomm-prod-net",
            "spf.protection.outlook.com",
        ),
    }[own.followups_provider]
    named = own.followups_dkim_selectors or selectors
    return Sender(
        domain=domain,
        return_path=(own.followups_return_path or return_path).lower(),
        selectors=tuple(name for name in named.split(",") if name),
        include=include,
    )
