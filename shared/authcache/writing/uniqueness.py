"""What must be so for a write to stand: checks that are made again whenever somebody else wrote in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from shared.authcache.reading.view import View
from shared.platform.errors import Conflict

Check = Callable[[View], Awaitable[None]]
"""Raises what the writer is to be told, or lets the records stand on the rows of the view."""


def address_is_free(address: str, *, but_for: str | None = None) -> Check:
    """No user but `but_for` (an id) has that address. Raises Conflict."""

    async def check(view: View) -> None:
        user = await view.user_by_address(address)
        if user is not None and user.id != but_for:
            raise Conflict("There is a user with this address.", code="address-taken", remedy="Log in instead.")

    return check
