"""Deletes groups of the log that nobody can need any more, the oldest first, so that what is left has no gap."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from shared.authcache.log.groups import AT_ONCE, Lsn, log_name
from shared.authcache.settings import settings
from shared.platform.stores.blob_files import delete_blob, list_blobs
from shared.platform.stores.paging import each

PAGE_BLOBS = 1_000
MOST = 20_000
"""Groups that are deleted at once; the next fold goes on."""


async def first_lsn() -> Lsn:
    """The place of the oldest group that is still there; 1 if there is none."""
    page = await list_blobs(settings().authcache_container, limit=1, prefix="log/")
    return int(page.blobs[0].name.removeprefix("log/")) if page.blobs else 1


async def clean_log(below: Lsn) -> int:
    """Delete groups before `below` that are older than AUTHCACHE_LOG_HOURS; how many.

    An instance that was cut off believes to be at the end of the log when the group that follows is not there: for so
    long no group is deleted, and for so long no instance writes or answers without having looked.
    """
    before = datetime.now(UTC) - timedelta(hours=settings().authcache_log_hours)
    container, deleted = settings().authcache_container, 0

    async def read(at: str | None) -> tuple[list[list[str]], str | None]:
        page = await list_blobs(container, limit=PAGE_BLOBS, prefix="log/", continuation=at)
        names = [blob.name for blob in page.blobs if blob.modified < before and blob.name < log_name(below)]
        more = len(names) == len(page.blobs) and deleted + len(names) < MOST
        return [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)], (
            page.continuation if more else None
        )

    async for names in each(read):
        await asyncio.gather(*(delete_blob(container, name) for name in names))
        deleted += len(names)
    return deleted
