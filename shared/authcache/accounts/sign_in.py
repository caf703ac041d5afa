"""Log-ins: the right password opens a session. Whoever asks for whom, the answer takes the same time."""

from __future__ import annotations

from contextlib import suppress

from shared.authcache import addresses
from shared.authcache.accounts import lifecycle
from shared.authcache.accounts.password_costs import password_costs
from shared.authcache.accounts.signing import secret_for
from shared.authcache.models import User
from shared.authcache.reading.view import View
from shared.platform.access.passwords.checking import is_current, matches
from shared.platform.access.passwords.decoys import DECOYS, decoy_hash
from shared.platform.errors import InvalidInput, TransientError, Unauthenticated


def key_of(email: str) -> str:
    """What tries for this address are counted by, and its account is found by, if there is one."""
    try:
        return addresses.parse(email).key
    except InvalidInput:
        return email.strip().lower()  # it belongs to nobody, and is refused like a wrong password


async def log_in(view: View, address: str, password: str) -> User:
    """The user of that address (its key), whose password this is. An old hash is replaced by a new one.

    Raises:
        Unauthenticated: there is none, the password is wrong, or the account is not active: which, is not said.
        TransientError: too many passwords are being checked.
    """
    user = await view.user_by_address(address)
    stored = user.password_hash if user else decoy_hash(address, secret_for(DECOYS), await password_costs())
    right = await matches(password, stored)
    if user is None or not right or not user.is_active:
        raise Unauthenticated(
            "The address or the password is wrong.",
            code="sign-in-refused",
            remedy="Check both, or set a new password by mail.",
        )
    if not is_current(stored):
        # If it fails, the next log-in tries again; a password that was changed meanwhile stays as it is.
        with suppress(TransientError, Unauthenticated):
            await lifecycle.upgrade_hash(user, password)
    return user
