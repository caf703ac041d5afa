"""What this process knows: the base, and the tail of the log over it, looked after every few seconds."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from shared.authcache.log.groups import Group, Lsn, read_group
from shared.authcache.log.records import Record
from shared.authcache.reading.levels import Level, Overlay
from shared.authcache.reading.view import View
from shared.authcache.settings import AuthCacheSettings, settings
from shared.platform.errors import InvalidInput, ManifoldError, TransientError

logger = logging.getLogger(__name__)

AT_ONCE = 16
"""Groups of the log that are read at the same time."""
IDLE_SECONDS = 60
"""Without a request for so long, an instance looks no more until the next one comes."""


class Instance:
    """One per event loop. `view` is what a request reads; `extend` takes in what this instance itself wrote."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._base: Sequence[Level] = ()
        self._tail = Overlay()
        self._lsn: Lsn = 0
        self._seen_at: float | None = None
        self._failing = False
        self._asked_at = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    @property
    def settings(self) -> AuthCacheSettings:
        """How often it looks, and how old its answers may be."""
        return settings()

    @property
    def age(self) -> float | None:
        """Seconds since it last knew the end of the log; None: it never did."""
        return None if self._seen_at is None else self._clock() - self._seen_at

    async def view(self, at_least: Lsn | None = None) -> View:
        """Rows not older than `at_least`, and than AUTHCACHE_REFRESH_SECONDS while the blobs can be read.

        Raises:
            TransientError: they cannot, and what is known is older than AUTHCACHE_STALE_SECONDS or than `at_least`.
            InvalidInput: `at_least` is an LSN that was never written.
        """
        self._asked_at = self._clock()
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        age = self.age
        if age is None or age > self.settings.authcache_stale_seconds:
            await self.refresh()
        elif age > self.settings.authcache_refresh_seconds and not self._failing:
            await self._try_to_refresh()
        if at_least is not None and at_least > self._lsn:
            await self.refresh()
            if at_least > self._lsn:
                raise InvalidInput("No such LSN was ever written.", code="lsn-unknown", remedy="Log in again.")
        return self.now()

    def now(self) -> View:
        """What is known, however old."""
        return View(self._lsn, (self._tail, *self._base))

    async def refresh(self) -> None:
        """Read the log to its end. Who comes while somebody else does so has that begun anew, and shares it.

        Raises:
            TransientError: the blobs cannot be read.
        """
        if self._looking is not None:
            await asyncio.wait([self._looking])  # it may have looked before what the caller needs was written
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        await asyncio.shield(self._looking)

    async def extend(self, lsn: Lsn, records: Sequence[Record]) -> None:
        """Take in the group that stands at `lsn`, unless it or a later one is known already."""
        if lsn != self._lsn + 1:
            return
        view = self.now()
        for record in records:
            self._tail.apply(await record.changes(view))
        self._lsn = lsn

    async def close(self) -> None:
        """Look no more."""
        for task in (self._watching, self._looking):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _look(self) -> None:
        began = self._clock()
        try:
            while await self._read_on():
                pass
        except ManifoldError:
            self._failing = True
            raise
        self._failing = False
        self._seen_at = began

    async def _read_on(self) -> bool:
        """Read what follows in the log; whether there may be more.

        The next group alone is asked for first: mostly there is none.
        """
        first = self._lsn + 1
        group = await read_group(first)
        if group is None:
            return False
        await self._take(first, [group])
        following = await asyncio.gather(*(read_group(first + step) for step in range(1, AT_ONCE + 1)))
        await self._take(first + 1, following)
        return None not in following

    async def _take(self, first: Lsn, groups: Sequence[Group | None]) -> None:
        """Take in groups that were read at `first` and after it: this instance may have written on meanwhile."""
        for lsn, group in enumerate(groups, first):
            if group is None:
                return
            await self.extend(lsn, group.records)

    async def _try_to_refresh(self) -> None:
        try:
            await self.refresh()
        except TransientError as error:
            logger.warning("The end of the log could not be read: %s", error)

    async def _watch(self) -> None:
        """Look again before what is known gets too old, for as long as somebody asks."""
        while self._clock() - self._asked_at < IDLE_SECONDS:
            await asyncio.sleep(self.settings.authcache_refresh_seconds / 2)
            await self._try_to_refresh()
