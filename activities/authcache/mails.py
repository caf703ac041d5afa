"""The mails of accounts."""

from __future__ import annotations

from shared.authcache.accounts import mails
from shared.authcache.accounts.models import AccountMail
from shared.platform.durable import activity
from shared.platform.models import LazyModel


class MailTask(LazyModel):
    """A mail to send, and the key by which a repeat of it is known."""

    letter: AccountMail  # the name that recorded histories have
    key: str


class Sent(LazyModel):
    """Whether there was somebody to write to."""

    sent: bool


@activity
async def send_letter(task: MailTask) -> Sent:  # the name that recorded histories have
    """Hand the mail over. A repeat carries the same key; the link in it is another one, and as good."""
    return Sent(sent=await mails.send(task.letter, task.key))
