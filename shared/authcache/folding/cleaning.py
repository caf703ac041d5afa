"""Deletes what no manifest and no reader needs: folded groups of the log, and segments of earlier bases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.authcache.folding.exporting import base_manifest
from shared.authcache.folding.steps import Cleaned, CleanTask
from shared.authcache.log.cleaning import PAGE_BLOBS, clean_log
from shared.authcache.settings import settings
from shared.platform.stores.blob_files import ListedBlob, delete_blob, list_blobs
from shared.platform.stores.paging import each

_KEPT = timedelta(hours=1)
"""For so long after they were written, segments that no manifest names may be read, or about to be named."""


async def clean(task: CleanTask) -> Cleaned:
    """Delete what is past its time.

    Of the log the newest group that was folded stays: by it whoever rebuilds the base learns where the log begins.
    """
    manifest = await base_manifest()
    groups = await clean_log(min(task.lsn, task.kept, manifest.lsn))
    used = {segment.name for segment in manifest.segments}
    container, segments = settings().authcache_container, set[str]()

    async def read(at: str | None) -> tuple[list[ListedBlob], str | None]:
        page = await list_blobs(container, limit=PAGE_BLOBS, prefix="base/", continuation=at)
        return page.blobs, page.continuation

    async for blob in each(read):
        segment = blob.name.rpartition("/")[0]
        if segment not in used and datetime.now(UTC) - blob.modified > _KEPT:
            await delete_blob(container, blob.name)
            segments.add(segment)
    return Cleaned(groups=groups, segments=len(segments))
