"""Routes of operators: users from elsewhere, users found, disabled and enabled."""

from __future__ import annotations

from pydantic import ConfigDict

from shared.authcache.accounts import importing, lifecycle, sharing, sign_in
from shared.authcache.accounts.models import Email, Id, Import, ImportReport, ShareAnswer, UserAnswer
from shared.authcache.accounts.users import unknown_user
from shared.authcache.store import store
from shared.platform.access.auth import ADMIN
from shared.platform.durable import DurableClient
from shared.platform.http import Reply
from shared.platform.models import LazyModel
from triggers.authcache.guard import AtLeast, answer, routes_of
from triggers.authcache.upkeep import written

routes = routes_of("users")
IMPORT_BYTES = 1_000_000


class ByAddress(LazyModel):
    model_config = ConfigDict(extra="forbid")
    email: Email


class UserWithShares(LazyModel):
    """A user as an operator sees them."""

    user: UserAnswer
    shares: list[ShareAnswer]
    shared_with: list[ShareAnswer]


@routes.post("/api/v1/admin/users/import", needs=ADMIN, summary="Take users in from elsewhere", limit=IMPORT_BYTES)
async def authcache_import(body: Import, client: DurableClient) -> Reply[ImportReport]:
    """With the hashes that were made there: argon2id, bcrypt, scrypt. May be repeated; one bad row fails alone."""
    report, lsn = await importing.import_users(body.users)
    return await written(client, report, lsn)


@routes.get("/api/v1/admin/users", needs=ADMIN, summary="The user of an address, with shares in both directions")
async def authcache_find_user(query: ByAddress, headers: AtLeast) -> Reply[UserWithShares]:
    view = await store().view(headers.x_lsn)
    user = await view.user_by_address(sign_in.key_of(query.email))
    if user is None:
        raise unknown_user("There is no user with this address.")
    granted = [ShareAnswer.of(share) for share in await sharing.own(view, user)]
    received = [ShareAnswer.of(share) for share in await view.shared_with(user.address) if sharing.holds(share)]
    return answer(UserWithShares(user=UserAnswer.of(user), shares=granted, shared_with=received), view.lsn)


@routes.post("/api/v1/admin/users/{user_id}/disable", needs=ADMIN, summary="Take a user's access away")
async def authcache_disable_user(user_id: Id, client: DurableClient) -> Reply[UserAnswer]:
    """Ends all sessions of the user, everywhere."""
    user, lsn = await lifecycle.set_active(user_id, active=False)
    return await written(client, UserAnswer.of(user), lsn)


@routes.post("/api/v1/admin/users/{user_id}/enable", needs=ADMIN, summary="Give a user's access back")
async def authcache_enable_user(user_id: Id, client: DurableClient) -> Reply[UserAnswer]:
    user, lsn = await lifecycle.set_active(user_id, active=True)
    return await written(client, UserAnswer.of(user), lsn)
