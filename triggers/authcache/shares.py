"""Routes of sharing, from both ends."""

from __future__ import annotations

from shared.authcache.accounts import sharing
from shared.authcache.accounts.models import Id, ShareAnswer, ShareChange, SharedWithMeAnswer, Sharer, ShareRequest
from shared.platform.access.auth import Caller
from shared.platform.durable import DurableClient
from shared.platform.http import Reply
from shared.platform.models import LazyModel
from triggers.authcache.guard import USER, AtLeast, answer, caller_of, routes_of
from triggers.authcache.upkeep import written

routes = routes_of("shares")


class MyShares(LazyModel):
    """Who can see what is mine."""

    items: list[ShareAnswer]
    total: int


class WithMe(LazyModel):
    """Whose things I can see."""

    items: list[SharedWithMeAnswer]
    total: int


class Sharers(LazyModel):
    """Who shares with me, and with whom I share."""

    items: list[Sharer]
    total: int


@routes.get("/api/v1/users/shared", needs=USER, summary="Who shares with me, and with whom I share")
async def authcache_sharers(caller: Caller, headers: AtLeast) -> Reply[Sharers]:
    user, view = await caller_of(caller, headers)
    sharers = await sharing.sharers(view, user)
    return answer(Sharers(items=sharers, total=len(sharers)), view.lsn)


@routes.get("/api/v1/users/shared/{user_id}", needs=USER, summary="Whether a user shares with me, and how far")
async def authcache_shared_by(user_id: Id, caller: Caller, headers: AtLeast) -> Reply[SharedWithMeAnswer]:
    user, view = await caller_of(caller, headers)
    return answer(await sharing.shared_with_me_by(view, user, user_id), view.lsn)


@routes.post("/api/v1/users/me/shares", needs=USER, summary="Share with an address", status=201)
async def authcache_share(
    body: ShareRequest, caller: Caller, headers: AtLeast, client: DurableClient
) -> Reply[ShareAnswer]:
    """Its owner sees what is shared once they have shown that the address is theirs."""
    user, _ = await caller_of(caller, headers)
    share, lsn = await sharing.grant(user, body)
    return await written(client, ShareAnswer.of(share), lsn, 201)


@routes.get("/api/v1/users/me/shares", needs=USER, summary="Who can see what is mine, and since when")
async def authcache_shares(caller: Caller, headers: AtLeast) -> Reply[MyShares]:
    user, view = await caller_of(caller, headers)
    shares = [ShareAnswer.of(share) for share in await sharing.own(view, user)]
    return answer(MyShares(items=shares, total=len(shares)), view.lsn)


@routes.get("/api/v1/users/me/shares/shared-with-me", needs=USER, summary="What others share with me")
async def authcache_shared_with_me(caller: Caller, headers: AtLeast) -> Reply[WithMe]:
    """Nothing, until the caller has shown that the address is theirs."""
    user, view = await caller_of(caller, headers)
    shares = await sharing.with_me(view, user)
    return answer(WithMe(items=shares, total=len(shares)), view.lsn)


@routes.patch("/api/v1/users/me/shares/{share_id}", needs=USER, summary="Change how far or until when one shares")
async def authcache_change_share(
    share_id: Id, body: ShareChange, caller: Caller, headers: AtLeast, client: DurableClient
) -> Reply[ShareAnswer]:
    user, _ = await caller_of(caller, headers)
    share, lsn = await sharing.change(user, share_id, body)
    return await written(client, ShareAnswer.of(share), lsn)


@routes.delete("/api/v1/users/me/shares/{share_id}", needs=USER, summary="Share no longer", status=204)
async def authcache_unshare(share_id: Id, caller: Caller, headers: AtLeast, client: DurableClient) -> Reply[None]:
    user, _ = await caller_of(caller, headers)
    return await written(client, None, await sharing.revoke(user, share_id), 204)
