"""How this instance's cache is: what it holds, how old that is, and how it came by it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from shared.authcache.models import Share
from shared.authcache.reading.instance import Instance
from shared.authcache.reading.view import View
from shared.authcache.tables import SHARES, USERS, Table
from shared.platform.models import LazyModel

_COUNTED: tuple[Table[Any], ...] = (USERS, SHARES)


class FoldFigures(LazyModel):
    """How the log became part of the base once."""

    lsn: int
    records: int = Field(description="of the log, which it took up; 0: it took the base from Iceberg")
    made_anew: bool = Field(description="whether everything was written, not only what had changed")
    at: datetime


class CacheFigures(LazyModel):
    """What the instance that answers holds."""

    instance: str = Field(description="name of the instance that answers, for as long as it runs")
    initialized: bool = Field(description="whether it has read the log to its end at least once")
    users_count: int
    shares_count: int
    users_with_shares: int = Field(description="users who share something")
    cache_loaded_at: datetime | None = Field(description="when the base was last brought to this instance's disk")
    lsn: int = Field(description="place in the log that it has read to")
    base_lsn: int = Field(description="place in the log that the base has")
    tail_records: int = Field(description="records in the log since the base; at 1,000 a fold begins")
    tail_rows: int = Field(description="rows in memory that changed since the base")
    age_seconds: float | None = Field(description="seconds since it last knew the end of the log")
    local: bool = Field(description="whether the base lies on this instance's disk; until then look-ups read blobs")
    hits: int = Field(description="requests that were answered from what it knows")
    waits: int = Field(description="requests for which it had to look at the log first")
    loads: int = Field(description="how often a base was brought here")
    rebuilds: int = Field(description="how often it found the base missing or damaged, and had it made anew")
    copies: int = Field(description="how many segments it fetched again, since their copy on its disk was damaged")
    refusals: int = Field(description="requests that were refused because what is known was too old")
    epoch: int = Field(description="how often the cache was invalidated")
    folds: list[FoldFigures] = Field(description="the last folds of the log, the newest first")


async def figures(instance: Instance) -> CacheFigures:
    """What the instance holds now; counts are exact as of its LSN."""
    holding = instance.holding
    base, view = holding.base(), holding.view()
    gained = {USERS.name: 0, SHARES.name: 0}
    for table in _COUNTED:
        for row_id, row in holding.tail.rows(table).items():
            gained[table.name] += (row is not None) - (await base.get(table, row_id) is not None)
    sharing = 0
    for owner in await _owners(base, holding.tail.rows(SHARES)):
        sharing += bool(await view.shared_by(owner)) - bool(await base.shared_by(owner))
    current = figures_without_rows(instance)
    return current.model_copy(
        update={
            "users_count": current.users_count + gained[USERS.name],
            "shares_count": current.shares_count + gained[SHARES.name],
            "users_with_shares": current.users_with_shares + sharing,
        }
    )


async def _owners(base: View, changed: Mapping[str, Share | None]) -> set[str]:
    """Whose shares have changed since the base."""
    owners = {share.owner for share in changed.values() if share is not None}
    for share_id in changed:
        before = await base.get(SHARES, share_id)
        if before is not None:
            owners.add(before.owner)
    return owners


def figures_without_rows(instance: Instance) -> CacheFigures:
    """The same without looking at rows: all counts are as of the base's LSN."""
    holding = instance.holding
    manifest = holding.manifest
    counts = manifest.counts if manifest else None
    age = instance.age
    return CacheFigures(
        instance=instance.name,
        initialized=age is not None,
        users_count=counts.users if counts else 0,
        shares_count=counts.shares if counts else 0,
        users_with_shares=counts.owners if counts else 0,
        cache_loaded_at=instance.loaded_at,
        lsn=holding.lsn,
        base_lsn=manifest.lsn if manifest else 0,
        tail_records=holding.records,
        tail_rows=sum(len(holding.tail.rows(table)) for table in _COUNTED),
        age_seconds=None if age is None else round(age, 3),
        local=instance.local,
        hits=instance.hits,
        waits=instance.waits,
        loads=instance.loads,
        rebuilds=instance.rebuilds,
        copies=instance.copies,
        refusals=instance.refusals,
        epoch=manifest.epoch if manifest else 0,
        folds=[FoldFigures(**fold.model_dump()) for fold in manifest.folds] if manifest else [],
    )
