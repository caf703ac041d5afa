"""Users by their id, and the one refusal where there is none."""

from __future__ import annotations

from shared.authcache.models import User
from shared.authcache.reading.view import View
from shared.authcache.writing.uniqueness import Check
from shared.platform.errors import NotFound


def unknown_user(message: str = "There is no such user, or not any more.") -> NotFound:
    """The refusal of whoever names a user that does not exist."""
    return NotFound(message, code="unknown-user")


async def user_of(view: View, user_id: str) -> User:
    """The user of this id. Raises NotFound: there is none."""
    user = await view.user_by_id(user_id)
    if user is None:
        raise unknown_user()
    return user


def user_exists(user_id: str) -> Check:
    """The user of this id exists when the records are written. Raises NotFound."""

    async def check(view: View) -> None:
        await user_of(view, user_id)

    return check
