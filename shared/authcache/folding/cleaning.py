"""Deletes what no manifest and no reader needs: folded groups of the log, and segments of earlier bases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.authcache.folding.exporting import base_manifest
from shared.authcache.folding.steps import Cleaned, CleanTask
from shared.authcache.log.cleaning import clean_log
from shared.authcache.settings import settings
from shared.platform.stores.blob_files import delete_blob, each_blob

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
    async for blob in each_blob(container, "base/"):
        segment = blob.name.rpartition("/")[0]
        if segment not in used and datetime.now(UTC) - blob.modified > _KEPT:
            await delete_blob(container, blob.name)
            segments.add(segment)
    return Cleaned(groups=groups, segments=len(segments))
