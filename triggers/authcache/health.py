"""The cache of the instance that answers; filling it from Iceberg; having all instances forget what they hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orchestrators.authcache.folding import fold
from shared.authcache.base.invalidating import invalidate
from shared.authcache.base.repair import want_rebuild, want_sync
from shared.authcache.folding.steps import BY_OPERATOR, FoldRequest
from shared.authcache.reading.health import CacheFigures, figures, figures_without_rows
from shared.authcache.store import store
from shared.platform.access.auth import ADMIN, PUBLIC
from shared.platform.durable import DurableClient
from shared.platform.errors import TransientError
from shared.platform.http import Accepted, Reply
from shared.platform.models import LazyModel
from triggers.authcache.guard import routes_of
from triggers.authcache.upkeep import FOLD

routes = routes_of("authcache")
Status = Literal["healthy", "stale", "empty", "unavailable"]


class CacheHealth(LazyModel):
    """How the cache of this instance is."""

    status: Status = Field(
        description="stale: older than it should be; empty: no users; unavailable: it refuses to answer"
    )
    cache: CacheFigures


class SyncQuery(LazyModel, extra="forbid"):
    """How much is done."""

    rebuild: bool = Field(default=False, description="make the base anew even if nobody else wrote to the tables")
    accept_loss: bool = Field(
        default=False, description="also without what neither the tables nor what is left of the log holds"
    )


class Invalidated(Accepted):
    """All instances forget what they hold; the base is made anew."""

    epoch: int = Field(description="how often the cache was invalidated")


@routes.get("/api/v1/health/cache", needs=PUBLIC, summary="How the cache is", also={503: CacheHealth})
async def authcache_health() -> Reply[CacheHealth]:
    """Of the instance that answers: ask again for another."""
    instance = store().instance
    try:
        await instance.view()
        current = await figures(instance)
    except TransientError:
        return Reply(CacheHealth(status="unavailable", cache=figures_without_rows(instance)), status=503)
    old = (current.age_seconds or 0) > 2 * instance.settings.authcache_refresh_seconds
    status: Status = "stale" if old else "healthy" if current.users_count else "empty"
    return Reply(CacheHealth(status=status, cache=current))


@routes.post("/api/v1/health/cache/sync", needs=ADMIN, summary="Take in what others wrote to Iceberg")
async def authcache_sync_now(query: SyncQuery, client: DurableClient) -> Accepted:
    """One at a time: while a fold runs, this one is queued, once however often it is asked for, and begins after it."""
    return await _start(client, FoldRequest(sync=True, rebuild=query.rebuild, accept_loss=query.accept_loss))


@routes.post("/api/v1/health/cache/invalidate", needs=ADMIN, summary="Have all instances forget what they hold")
async def authcache_invalidate(client: DurableClient) -> Invalidated:
    """Each does so the next time it looks at the log, and answers from blobs until it has the base again.

    What comes is compared with the manifest's digests; a base that is damaged is made anew.
    """
    epoch = await invalidate()
    started = await _start(client, FoldRequest(sync=True))
    return Invalidated(id=started.id, location=started.location, epoch=epoch)


async def _start(client: DurableClient, request: FoldRequest) -> Accepted:
    if not await client.start_if_idle(fold, request, instance_id=FOLD):
        await (want_rebuild(BY_OPERATOR) if request.rebuild else want_sync())
    return Accepted(id=FOLD, location=f"/ops/runs/{FOLD}")
