"""Signing in with address and password. Whoever asks for whom, the answer takes the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.followups.people import agents, tokens
from shared.platform.access.passwords.checking import hashed, is_current, matches
from shared.platform.access.passwords.decoys import DECOYS, decoy_hash
from shared.platform.access.tokens import derived_key
from shared.platform.errors import Unauthenticated

if TYPE_CHECKING:
    from shared.followups.people.models import Agent


async def sign_in(email: str, password: str) -> Agent:
    """The agent of that address, whose password this is. An old hash is replaced by a new one.

    Raises:
        Unauthenticated: there is none, the password is wrong, or the agent is not active: which, is not said.
        TransientError: too many passwords are being checked.
        Forbidden: the app has no key for tokens.
    """
    account = await agents.by_email(email)
    decoy = decoy_hash(email, derived_key(tokens.keys(), DECOYS), await agents.password_costs())
    stored = account[1] if account else None
    right = await matches(password, stored or decoy)
    if account is None or stored is None or not right or not account[0].is_active:
        raise Unauthenticated("The address or the password is wrong.", code="sign-in-refused")
    if not is_current(stored):
        await agents.upgrade_hash(account[0].id, stored, await hashed(password))
    return account[0]
