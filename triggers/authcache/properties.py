"""Routes of properties: one's own, and those that others share."""

from __future__ import annotations

from shared.authcache.accounts.models import Id
from shared.authcache.properties import properties
from shared.authcache.properties.models import PageQuery, PropertyAnswer, PropertyFields, PropertyPage
from shared.platform.access.auth import Caller
from shared.platform.durable import DurableClient
from shared.platform.http import Reply
from triggers.authcache.guard import USER, AtLeast, answer, caller_of, routes_of
from triggers.authcache.upkeep import written

routes = routes_of("properties")


@routes.get("/api/v1/properties", needs=USER, summary="One's own properties, and those that others share")
async def authcache_properties(query: PageQuery, caller: Caller, headers: AtLeast) -> Reply[PropertyPage]:
    user, view = await caller_of(caller, headers)
    return answer(await properties.listed(view, user, page=query.page, limit=query.limit), view.lsn)


@routes.get("/api/v1/properties/{property_id}", needs=USER, summary="One property")
async def authcache_property(property_id: Id, caller: Caller, headers: AtLeast) -> Reply[PropertyAnswer]:
    user, view = await caller_of(caller, headers)
    return answer(await properties.read(view, user, property_id), view.lsn)


@routes.post("/api/v1/properties", needs=USER, summary="Add a property", status=201)
async def authcache_add_property(
    body: PropertyFields, caller: Caller, headers: AtLeast, client: DurableClient
) -> Reply[PropertyAnswer]:
    user, _ = await caller_of(caller, headers)
    made, lsn = await properties.create(user, body)
    return await written(client, made, lsn, 201)


@routes.put("/api/v1/properties/{property_id}", needs=USER, summary="Change a property")
async def authcache_change_property(
    property_id: Id, body: PropertyFields, caller: Caller, headers: AtLeast, client: DurableClient
) -> Reply[PropertyAnswer]:
    """Its owner may, and whom the owner shares with at the level `edit`."""
    user, _ = await caller_of(caller, headers)
    changed, lsn = await properties.change(user, property_id, body)
    return await written(client, changed, lsn)


@routes.delete("/api/v1/properties/{property_id}", needs=USER, summary="Delete a property", status=204)
async def authcache_delete_property(
    property_id: Id, caller: Caller, headers: AtLeast, client: DurableClient
) -> Reply[None]:
    user, _ = await caller_of(caller, headers)
    return await written(client, None, await properties.delete(user, property_id), 204)
