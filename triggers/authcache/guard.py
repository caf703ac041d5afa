"""Which user is calling, and how new the answer has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from pydantic import Field

from shared.authcache.accounts import sessions
from shared.authcache.log.groups import Lsn
from shared.authcache.models import User
from shared.authcache.reading.view import View
from shared.authcache.settings import settings
from shared.authcache.store import store
from shared.platform.access.accounts import BearerToken, Registration
from shared.platform.access.auth import Caller, Guard, header
from shared.platform.http import Reply, Routes
from shared.platform.http.cors import Cors
from shared.platform.models import LazyModel

if TYPE_CHECKING:
    import azure.functions as func

LSN: Final = "X-Lsn"
MOST_LSN: Final = 2**53 - 1
CORS: Final = Cors(
    "/api/v1",
    lambda: settings().origins,
    sent=("Authorization", "Content-Type", LSN, "X-Admin-Key"),
    shown=("Retry-After", LSN),
)

T = TypeVar("T")


class AtLeast(LazyModel):
    """How new the answer has to be."""

    x_lsn: int = Field(
        default=0, ge=0, le=MOST_LSN, description="The answer knows what this place of the log holds, and all before it"
    )


async def _user(token: str, request: func.HttpRequest) -> Caller:
    named = header(request, LSN)
    user, family = await sessions.reader(token, int(named) if _is_lsn(named) else 0)
    return Caller(f"user-{user.id}", organization=f"{user.id} {family}")


USER: Guard = BearerToken("UserToken", "user", _user)
REGISTERING: Guard = Registration(lambda: settings().authcache_open_registration)


def routes_of(tag: str) -> Routes:
    """Routes that pages of other origins may call."""
    return Routes(tag, CORS)


async def caller_of(caller: Caller, at_least: AtLeast) -> tuple[User, View]:
    """Who is calling, and the rows that answer.

    Raises:
        Unauthenticated: the account was deleted a moment ago.
    """
    view = await store().view(at_least.x_lsn)
    user = await view.user_by_id(_parts(caller)[0])
    if user is None:
        raise sessions.session_ended()
    return user, view


def session_of(caller: Caller) -> str:
    """The id of the session that is calling."""
    return _parts(caller)[1]


def answer(body: T, lsn: Lsn, status: int = 200) -> Reply[T]:
    """The body, with the LSN at which it is so: whoever sends that along is answered by nothing older."""
    return Reply(body, status, {LSN: str(lsn)})


def _parts(caller: Caller) -> tuple[str, str]:
    assert caller.organization is not None, "the guard names it"
    user, _, family = caller.organization.partition(" ")
    return user, family


def _is_lsn(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(MOST_LSN))
