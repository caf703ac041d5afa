"""When a fold is due: every minute while the log holds something, and earlier where the log has grown long."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from shared.authcache.base.manifest import CorruptBase, read_manifest
from shared.authcache.base.repair import rebuild_wanted, sync_wanted
from shared.authcache.log.groups import Lsn, read_group
from shared.authcache.settings import settings

EARLY_FOLD_RECORDS = 1_000
"""Records since the base at which the minute is not waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldFacts:
    """What is known of the base and the log when it is decided whether a fold is due.

    Attributes:
        damaged: the manifest cannot be read.
        has_base: there is a manifest.
        has_catalog: a catalog of Iceberg tables is set.
        unfolded: the log holds a group that the base does not have.
        rebuild: it is noted that the base is to be made anew.
        sync: it is noted that the Iceberg tables are to be looked at.
    """

    damaged: bool = False
    has_base: bool = False
    has_catalog: bool = False
    unfolded: bool = False
    rebuild: bool = False
    sync: bool = False


@dataclass(slots=True)
class ProcessFolds:
    """The folds that this process has started.

    Attributes:
        looked: one of them has looked at the Iceberg tables, as the first of a process does: it may be a new version.
        early_after: the LSN of the base after which it started an early one.
    """

    looked: bool = False
    early_after: Lsn = -1


def fold_is_due(facts: FoldFacts, *, looked: bool) -> bool:
    """Whether a fold has anything to do; `looked`: this process has had the Iceberg tables looked at."""
    if facts.damaged:
        return True
    if not facts.has_base:
        return facts.has_catalog or facts.unfolded
    return not looked or facts.unfolded or facts.rebuild or facts.sync


def early_fold_is_due(records: int, base: Lsn, early_after: Lsn) -> bool:
    """Whether so many records after the base of that LSN are to be folded at once.

    Once for each base: while it is the same one, the early fold has not ended, or has failed, and the minute does it.
    """
    return records >= EARLY_FOLD_RECORDS and base != early_after


async def fold_facts() -> FoldFacts:
    """Read them. Raises TransientError: the blobs do not answer."""
    has_catalog = bool(settings().authcache_catalog_uri)
    try:
        manifest = await read_manifest()
    except CorruptBase:
        return FoldFacts(damaged=True, has_catalog=has_catalog)
    if manifest is None:
        return FoldFacts(has_catalog=has_catalog, unfolded=await read_group(1) is not None)
    group, rebuild, sync = await asyncio.gather(read_group(manifest[0].lsn + 1), rebuild_wanted(), sync_wanted())
    return FoldFacts(
        has_base=True, has_catalog=has_catalog, unfolded=group is not None, rebuild=rebuild is not None, sync=sync
    )


async def in_use() -> bool:
    """Whether there is anything to look at: a catalog of Iceberg tables, or a base. Raises as `read_manifest`."""
    return bool(settings().authcache_catalog_uri) or await read_manifest() is not None
