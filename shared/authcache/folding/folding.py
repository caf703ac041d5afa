"""A fold: what the log says after the base becomes part of it, and a new manifest says so."""

from __future__ import annotations

import asyncio
import logging
import secrets
from datetime import UTC, datetime
from pathlib import Path

from shared.authcache.base.format.pyarrow import Columns
from shared.authcache.base.local import LocalFiles
from shared.authcache.base.manifest import CorruptBase, DamagedCopy, Fold, Manifest, read_manifest, write_manifest
from shared.authcache.base.reading import SegmentLevel
from shared.authcache.base.repair import base_made, rebuild_wanted
from shared.authcache.base.uploading import upload
from shared.authcache.folding.changes import Changes, changes_after
from shared.authcache.folding.counting import counted, counted_whole
from shared.authcache.folding.segments import Merging, build_changed, build_everything, changed_rows, with_changes
from shared.authcache.folding.steps import Folded
from shared.authcache.iceberg.tables import KEPT_IN_ICEBERG
from shared.authcache.iceberg.writing import look
from shared.authcache.log.groups import Lsn
from shared.authcache.reading.holding import fetched_levels
from shared.authcache.reading.levels import Level
from shared.authcache.tables import TABLES
from shared.platform.errors import Conflict, TransientError
from shared.platform.files import scratch_folder

logger = logging.getLogger(__name__)
LEAST_CHANGED = 50_000
"""Rows of what changed that are never worth making everything anew."""
SHARE_CHANGED = 0.05
"""Of all rows: once so many changed, everything is made anew."""


def new_hash_key() -> str:
    """A key for the hashes of a base that is made from nothing."""
    return secrets.token_hex(16)


async def fold_log() -> Folded:
    """Take up what the log says after the base. Where nothing is new, nothing is written.

    Raises:
        TransientError: the blobs cannot be reached.
    """
    folded = await _fold_log()
    return folded.model_copy(update={"tables": tuple(KEPT_IN_ICEBERG)})


async def _fold_log() -> Folded:
    if reason := await rebuild_wanted():
        return Folded(lsn=None, rebuild=reason)
    try:
        try:
            return await _folded()
        except DamagedCopy:  # on this machine alone, and set aside
            logger.exception("A copy of the base on this machine's disk is damaged; it is fetched again.")
            return await _folded()
    except CorruptBase as error:  # whichever file of it, and whoever reads that
        return Folded(lsn=None, rebuild=str(error))


async def _folded() -> Folded:
    current = await read_manifest()
    if current is None:
        return Folded(lsn=None, rebuild="There is no base yet.")
    manifest, etag = current
    await base_made()  # again, where who made it did not live to say so
    levels = await fetched_levels(manifest)
    changes = await changes_after(manifest.lsn, levels)
    if not changes.records:
        return Folded(lsn=manifest.lsn)
    async with scratch_folder("manifold-fold-") as folder:
        after = await _next(manifest, levels[-1], changes, folder)
        try:
            await write_manifest(after, seen=etag)
        except Conflict:
            logger.info("Another fold was faster; the next one goes on from it.")
            return Folded(lsn=manifest.lsn)
    return Folded(lsn=after.lsn, records=changes.records)


async def _next(manifest: Manifest, base: Level, changes: Changes, folder: Path) -> Manifest:
    everything = manifest.everything
    rows: dict[str, Columns] = {}
    for name, table in TABLES.items():
        rows[name] = with_changes(await changed_rows(manifest.changed, table, folder), table, changes)
    changed = sum(one.num_rows for one in rows.values())
    held = sum(part.rows for part in everything.tables.values())
    key = manifest.hash_key
    if changed > max(LEAST_CHANGED, held * SHARE_CHANGED):
        merging = Merging(everything, changes.lsn, key, drops_after=await lsn_in_iceberg())
        built = await build_everything(folder, merging, rows)
        whole = counts = await asyncio.to_thread(counted_whole, built.segment, built.folder)
        segments = (built.segment,)
    else:
        built = await asyncio.to_thread(build_changed, folder / "new", everything.lsn, changes.lsn, rows, key)
        files = await asyncio.to_thread(LocalFiles, built.folder, built.segment)
        level = SegmentLevel(built.segment, files, key)
        counts, whole = await counted(manifest.whole, base, level, rows), manifest.whole
        segments = (built.segment, everything)
    await upload(built.segment, built.folder)
    at = datetime.now(UTC)
    fold = Fold(lsn=changes.lsn, records=changes.records, made_anew=len(segments) == 1, at=at)
    return manifest.model_copy(
        update={
            "lsn": changes.lsn,
            "segments": segments,
            "counts": counts,
            "whole": whole,
            "folds": manifest.folds_with(fold),
            "folded_at": at,
        }
    )


async def lsn_in_iceberg() -> Lsn:
    """The LSN up to which every Iceberg table surely knows what is no more; 0 where the catalog does not say."""
    try:
        marks = [await asyncio.to_thread(look, table) for table in KEPT_IN_ICEBERG.values()]
    except TransientError:
        return 0
    return min(mark.lsn for mark in marks)
