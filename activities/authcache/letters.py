"""The mails of accounts."""

from __future__ import annotations

from shared.authcache.accounts import letters
from shared.authcache.accounts.models import Letter
from shared.platform.durable import activity
from shared.platform.models import LazyModel


class Addressed(LazyModel):
    """A letter, and the key by which a repeat of its mail is known."""

    letter: Letter
    key: str


class Sent(LazyModel):
    """Whether there was somebody to write to."""

    sent: bool


@activity
async def send_letter(task: Addressed) -> Sent:
    """Hand the mail over. A repeat carries the same key; the link in it is another one, and as good."""
    return Sent(sent=await letters.send(task.letter, task.key))
