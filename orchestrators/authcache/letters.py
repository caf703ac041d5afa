"""A mail of an account: handed over, and again while the relay cannot take it."""

from __future__ import annotations

from activities.authcache.letters import Addressed, Sent, send_letter
from shared.authcache.accounts.models import Letter
from shared.platform.durable import Context, Steps, call, orchestration


@orchestration
def write_letter(context: Context, letter: Letter) -> Steps[Sent]:
    """Send one mail."""
    return (yield from call(context, send_letter, Addressed(letter=letter, key=context.instance_id)))
