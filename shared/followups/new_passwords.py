"""A new password for an agent who has lost the old one: a mail with a link that is good for an hour, and once."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from shared.followups.people import agents, tokens
from shared.followups.sending import to_agents
from shared.followups.sending.message import Mail
from shared.followups.settings import settings
from shared.platform.access.passwords.checking import hashed
from shared.platform.errors import Conflict, Forbidden, TransientError, Unauthenticated

if TYPE_CHECKING:
    from shared.followups.people.models import Agent

PATH = "/api/agents/password"
logger = logging.getLogger(__name__)


async def send(email: str) -> None:
    """Mail the link to the agent with this address, if there is one; whoever asks learns nothing of it.

    Raises:
        Forbidden: the app has no address to send from, or none that mailboxes reach.
    """
    if not settings().followups_sender or not settings().followups_public_url:
        raise Forbidden(
            "This app sends no mail to agents.",
            code="settings",
            remedy="Set FOLLOWUPS_SENDER and FOLLOWUPS_PUBLIC_URL.",
        )
    account = await agents.by_email(email)
    if account is None or not account[0].is_active or not await agents.may_be_mailed_a_password(account[0].id):
        return
    token = tokens.issue_for_password(account[0].id, _fingerprint(account[1]))
    try:
        outcome = await to_agents.hand_over(_mail(account[0], f"{settings().followups_public_url}{PATH}?token={token}"))
    except (Conflict, TransientError) as error:
        logger.warning("A password mail was not sent.", extra={"agent": account[0].id, "reason": error.code})
        return
    logger.info("A password mail was handed over.", extra={"agent": account[0].id, "outcome": outcome.kind})


async def replace(token: str, password: str) -> None:
    """Give the agent of the link this password, and end all its sessions.

    Raises:
        Unauthenticated: the link is not ours, has expired, or was used.
    """
    agent_id, fingerprint = tokens.read_for_password(token)
    stored = await agents.password_of(agent_id)
    new = await hashed(password)
    if _fingerprint(stored) != fingerprint or not await agents.set_password(agent_id, stored, new):
        raise Unauthenticated("The link was used, or is not good any more.", remedy="Ask for a new one.")


def _fingerprint(stored: str | None) -> str:
    """Changes with the password, so that a link is good once."""
    return hashlib.sha256((stored or "").encode()).hexdigest()


def _mail(agent: Agent, link: str) -> Mail:
    body = (
        f"Hello {agent.name},\n\nsomebody, hopefully you, wants a new password for your account. Set it within an hour:"
        f"\n\n{link}\n\nIf it was not you, do nothing: the old password stays."
    )
    return Mail(
        email_id=to_agents.NO_FOLLOWUP,
        key=uuid4(),
        sender_name="",
        sender=settings().followups_sender,
        recipient_name=agent.name,
        recipient=agent.email,
        reply_to=settings().followups_sender,
        subject="Set a new password",
        body=body,
        footer="You receive this because you have an account here.",
        date=datetime.now(UTC),
    )
