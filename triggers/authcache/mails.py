"""Asks for the mails of accounts: durably, and not more for one address than somebody could want."""

from __future__ import annotations

from functools import cache

from orchestrators.authcache.mails import write_letter
from shared.authcache.accounts.models import AccountMail
from shared.authcache.settings import settings
from shared.platform.access.budgets import Budget
from shared.platform.durable import DurableClient
from shared.platform.errors import RateLimited


@cache
def _budget(per_hour: int) -> Budget:
    return Budget(burst=per_hour, gap=3600 / per_hour)


async def request_mail(client: DurableClient, mail: AccountMail, address: str) -> None:
    """Have a mail sent that anybody may ask for; `address` is the key of where it goes.

    Raises:
        RateLimited: so many were asked for that address; the last of them is good, and has come.
        TransientError: the durable host does not take it.
    """
    budget = _budget(settings().authcache_mails_per_hour)
    if (wait := budget.wait(address)) > 0:
        raise RateLimited(
            "Several mails were asked for this address lately.",
            code="too-many-mails",
            retry_after=wait,
            remedy="Use the link of the newest one, or look into the folder for unwanted mail.",
        )
    budget.count(address)
    await notify(client, mail)


async def notify(client: DurableClient, mail: AccountMail) -> None:
    """Have a mail sent that says what was done to the account."""
    await client.start(write_letter, mail)
