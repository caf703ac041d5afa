"""A mail of an account: handed over, and again while the relay cannot take it."""

from __future__ import annotations

from activities.authcache.mails import MailTask, Sent, send_letter
from shared.authcache.accounts.models import AccountMail
from shared.platform.durable import Context, Steps, call, orchestration


@orchestration
def write_letter(context: Context, mail: AccountMail) -> Steps[Sent]:  # the name that recorded histories have
    """Send one mail."""
    return (yield from call(context, send_letter, MailTask(letter=mail, key=context.instance_id)))
