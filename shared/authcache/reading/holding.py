"""What an instance holds at one moment: the base's levels, the tail over them, and how far the log is known."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence

from shared.authcache.base.fetching import clear, fetch, folder_of
from shared.authcache.base.local import LocalFiles, set_aside
from shared.authcache.base.manifest import CorruptBase, DamagedCopy, Manifest, Segment
from shared.authcache.base.reading import SegmentLevel
from shared.authcache.base.remote import RemoteFiles
from shared.authcache.log.groups import Group, Lsn, group_of
from shared.authcache.log.records import Change, Record
from shared.authcache.reading.levels import Level, Overlay
from shared.authcache.reading.view import View

logger = logging.getLogger(__name__)

AT_ONCE = 2_000
"""Records that are laid over a new base before others get their turn."""


class Holding:
    """Changes by `extend` and `install` alone, one at a time.

    Attributes:
        records: how many the log holds since the base, as far as it is known.
    """

    def __init__(self) -> None:
        self.lsn: Lsn = 0
        self.records = 0
        self.manifest: Manifest | None = None
        self.tail = Overlay()
        self._base: Sequence[SegmentLevel] = ()
        # As text: as records they would take four times as much memory, and much of the collector's time.
        self._groups: deque[tuple[Lsn, bytes]] = deque()
        self._changing = asyncio.Lock()

    def view(self) -> View:
        """The rows as they are known now."""
        return View(self.lsn, (self.tail,), self._base)

    @property
    def damage(self) -> DamagedCopy | None:
        """What a look-up found of a copy on this machine's disk that is read."""
        return next((level.damage for level in self._base if level.damage is not None), None)

    def base(self) -> View:
        """The rows as the manifest's segments have them."""
        return View(self.manifest.lsn if self.manifest else 0, (), self._base)

    async def extend(self, lsn: Lsn, group: Group, changes: Sequence[Change] | None = None) -> bool:
        """Take in the group at `lsn`; False: it is known already, or does not follow, and changes nothing.

        `changes` are what its records make of the rows before it, where that is known.
        """
        async with self._changing:
            if lsn != self.lsn + 1:
                return False
            if changes is None:
                await _apply(self.tail, self._base, group.records)
            else:
                self.tail.apply(changes)
            self._groups.append((lsn, group.data))
            self.records += len(group.records)
            self.lsn = lsn
            return True

    async def install(self, manifest: Manifest, levels: Sequence[SegmentLevel]) -> None:
        """Stand on another base, with what is known of the log after it on top."""
        async with self._changing:
            tail = Overlay()
            kept = deque(group for group in self._groups if group[0] > manifest.lsn)
            count = done = 0
            for _, data in kept:
                records = group_of(data).records
                await _apply(tail, levels, records)
                count += len(records)
                if (done := done + len(records)) > AT_ONCE:
                    done = 0
                    await asyncio.sleep(0)
            self.records = count
            self.tail, self._base, self._groups, self.manifest = tail, levels, kept, manifest
            self.lsn = max(self.lsn, manifest.lsn)


async def _apply(tail: Overlay, base: Sequence[Level], records: Sequence[Record]) -> None:
    view = View(0, (tail,), base)
    for record in records:
        tail.apply(await record.changes(view))


def levels_at_once(manifest: Manifest) -> list[SegmentLevel]:
    """The manifest's segments from the disk where they lie there, the others from where they are. Opens their files."""
    return [_level(manifest, segment) for segment in manifest.segments]


async def fetched_levels(manifest: Manifest) -> list[SegmentLevel]:
    """The manifest's segments, all from the disk. Raises as `fetch`."""
    levels = await asyncio.gather(*(_fetched(manifest, segment) for segment in manifest.segments))
    await asyncio.to_thread(clear, manifest.segments, manifest.epoch)
    return levels


async def _fetched(manifest: Manifest, segment: Segment) -> SegmentLevel:
    folder = await fetch(segment, manifest.epoch)
    try:
        files = await asyncio.to_thread(LocalFiles, folder, segment)
    except CorruptBase as error:  # an earlier process left it there, and nobody compared it with the digests
        logger.warning("A copy of the base on this machine's disk is damaged; it is fetched again: %s", error)
        await asyncio.to_thread(set_aside, folder)
        files = await asyncio.to_thread(LocalFiles, await fetch(segment, manifest.epoch), segment)
    return SegmentLevel(segment, files, manifest.hash_key)


def _level(manifest: Manifest, segment: Segment) -> SegmentLevel:
    folder = folder_of(segment, manifest.epoch)
    try:
        files = LocalFiles(folder, segment) if folder.exists() else RemoteFiles(segment)
    except CorruptBase:
        files = RemoteFiles(segment)
    return SegmentLevel(segment, files, manifest.hash_key)
