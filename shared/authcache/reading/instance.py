"""What this process knows: the base, and the tail of the log over it, looked after every few seconds."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import uuid4

from shared.authcache.base.manifest import REBUILD_SECONDS, CorruptBase, DamagedCopy, Manifest, read_manifest
from shared.authcache.base.repair import MISSING, UNREADABLE, refuse_without_manifest, want_rebuild
from shared.authcache.log.groups import AT_ONCE, Group, Lsn, read_group
from shared.authcache.log.records import Change
from shared.authcache.reading.holding import Holding, fetched_levels, levels_at_once
from shared.authcache.reading.view import View
from shared.authcache.reading.writers import Writers
from shared.authcache.settings import AuthCacheSettings, settings
from shared.platform.errors import InvalidInput, ManifoldError, TerminalError, TransientError

logger = logging.getLogger(__name__)

SETTLING_SECONDS = 0.5
"""After its start an instance leaves the processor to the requests that it was started for, then fetches the base."""
LOOK_SECONDS = 2
"""Beyond the interval between two looks: so long a request waits for one."""
ANSWER_SECONDS = 20
"""For which a look itself waits for the blobs, which may drop what they are asked without a word."""
IDLE_SECONDS = 60
"""Without a request for so long, an instance looks no more until the next one comes."""


class Instance:
    """One per event loop. `view` is what a request reads; `extend` takes in what this instance itself wrote."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = uuid4().hex[:8]
        self._clock = clock
        self.holding = Holding()
        self.writers = Writers(clock)
        self.loaded_at: datetime | None = None
        self.hits = self.waits = self.refusals = 0
        self.loads = self.rebuilds = 0
        self.local = False
        self._etag: str | None = None
        self._seen_at: float | None = None
        self._failing = False
        self._damage: str | None = None
        self._damaged: str | None = None
        self._rebuild_wanted = False
        self._copies: dict[str, int] = {}
        self._asked_at = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._fetching: asyncio.Task[None] | None = None

    @property
    def settings(self) -> AuthCacheSettings:
        """How often it looks, and how old its answers may be."""
        return settings()

    @property
    def max_wait_seconds(self) -> float:
        """Seconds that a request waits for the blobs."""
        return self.settings.authcache_refresh_seconds + LOOK_SECONDS

    @property
    def age(self) -> float | None:
        """Seconds since it last knew the end of the log; None: it never did."""
        return None if self._seen_at is None else self._clock() - self._seen_at

    @property
    def copies(self) -> int:
        """How many segments it fetched again, since their copy on this machine's disk was damaged."""
        return len(self._copies)

    async def view(self, at_least: Lsn | None = None) -> View:
        """Rows not older than `at_least`, and than AUTHCACHE_REFRESH_SECONDS while the blobs can be read.

        Raises:
            TransientError: they cannot, and what is known is older than AUTHCACHE_STALE_SECONDS or than `at_least`.
            InvalidInput: `at_least` is an LSN that was never written.
        """
        try:
            return await self._view(at_least)
        except TransientError:
            self.refusals += 1
            raise

    async def _view(self, at_least: Lsn | None) -> View:
        self._asked_at = self._clock()
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())
        age = self.age
        waited = True
        if self._damage is not None or age is None or age > self.settings.authcache_stale_seconds:
            await self.refresh()
        elif age > self.settings.authcache_refresh_seconds and not self._failing:
            await self._try_to_refresh()
            if self.age is None or self.age > self.settings.authcache_stale_seconds:  # it took that long
                raise silent()
        else:
            waited = False
        if at_least is not None and at_least > self.holding.lsn:
            waited = True
            await self.refresh()
            if at_least > self.holding.lsn:
                raise InvalidInput("No such LSN was ever written.", code="lsn-unknown", remedy="Log in again.")
        self.waits += waited
        self.hits += not waited
        return self.now()

    def now(self) -> View:
        """What is known, however old."""
        return self.holding.view()

    async def refresh(self, within: float | None = None) -> None:
        """Read the log to its end. Who comes while somebody else does so has that begun anew, and shares it.

        It is waited for `within` so many seconds; None: `max_wait_seconds`.

        Raises:
            TransientError: the blobs cannot be read, or not soon, or the base is being made anew.
        """
        try:
            async with asyncio.timeout(self.max_wait_seconds if within is None else within):
                if self._looking is not None and not self._looking.done():
                    await asyncio.wait([self._looking])  # it may have looked before what the caller needs was written
                if self._looking is None or self._looking.done():
                    self._looking = asyncio.create_task(self._look())
                    self._looking.add_done_callback(_forget)
                await asyncio.shield(self._looking)
        except TimeoutError:  # the look goes on; nobody waits for it meanwhile
            self._failing = True
            raise silent() from None

    async def extend(self, lsn: Lsn, group: Group, changes: Sequence[Change] | None = None) -> None:
        """Take in the group that stands at `lsn`, as `Holding.extend`."""
        if await self.holding.extend(lsn, group, changes):
            self.writers.wrote(group.writer, len(group.records))

    async def _look(self) -> None:
        began = self._clock()
        stands = UNREADABLE
        try:
            next_lsn = self.holding.lsn + 1
            async with asyncio.timeout(ANSWER_SECONDS):
                current, group = await asyncio.gather(read_manifest(), read_group(next_lsn))
            etag = current[1] if current is not None else None
            stands = etag or MISSING
            if self._damage is not None and etag == self._damaged:
                raise CorruptBase(self._damage, retry_after=REBUILD_SECONDS)
            damage = self.holding.damage
            if damage is not None and etag == self._etag and not self._fetches_again(damage):
                raise damage
            if current is not None and (damage is not None or etag not in (self._etag, self._damaged)):
                await self._adopt(*current)
                next_lsn = self.holding.lsn + 1
                group = await read_group(next_lsn)
            elif current is None and self._seen_at is None:
                await refuse_without_manifest()
            if group is not None:
                await self.read_on(next_lsn, group)
        except TimeoutError:
            self._failing = True
            raise silent() from None
        except ManifoldError as error:
            self._failing = True
            if isinstance(error, CorruptBase) and not self._fetches_again(error):
                await self._have_rebuilt(error, stands)
            if isinstance(error, TerminalError):  # another instance, of a newer version, may answer
                raise TransientError(str(error), code=error.code, retry_after=REBUILD_SECONDS) from error
            raise
        self._failing = False
        self._rebuild_wanted = self._rebuild_wanted and etag == self._damaged
        self._seen_at = began

    async def read_on(self, lsn: Lsn, group: Group) -> None:
        """Take in the group that stands at `lsn`, and those that follow to the end of the log.

        Who lost a race is one group behind, who has just started may be thousands: so ever more are read at once.
        """
        await self.extend(lsn, group)
        at_once = 1
        while await self.read_next(at_once):
            at_once = min(at_once * 2, AT_ONCE)

    async def read_next(self, most: int) -> bool:
        """Take in what stands at the next `most` places of the log; whether there is a group at each.

        Raises:
            TransientError: the blobs cannot be read, or not soon.
        """
        # Each at the place where it was read: this instance may have written on meanwhile.
        lsn = self.holding.lsn
        try:
            async with asyncio.timeout(self.max_wait_seconds):
                groups = await asyncio.gather(*(read_group(lsn + step) for step in range(1, most + 1)))
        except TimeoutError:
            self._failing = True
            raise silent() from None
        for group in groups:
            if group is None:
                return False
            lsn += 1
            await self.extend(lsn, group)
        return True

    async def _adopt(self, manifest: Manifest, etag: str) -> None:
        """Stand on another manifest: at once where what is held is older or is to be forgotten, else once fetched."""
        held = self.holding.manifest
        broken = self._damage is not None or self.holding.damage is not None
        behind = not self.holding.lsn or manifest.lsn > self.holding.lsn
        if broken or behind or (held is not None and manifest.epoch != held.epoch):
            levels = await asyncio.to_thread(levels_at_once, manifest)
            self.local = False
            await self.holding.install(manifest, levels)
        self._damage = self._damaged = None
        self._rebuild_wanted = False
        if self._fetching is not None:
            self._fetching.cancel()
        self._fetching = asyncio.create_task(self._fetch(manifest, SETTLING_SECONDS if held is None else 0))
        self._etag = etag

    async def _fetch(self, manifest: Manifest, after: float) -> None:
        await asyncio.sleep(after)
        try:
            levels = await fetched_levels(manifest)
            if (damage := self.holding.damage) is not None:  # found since the last look
                self._fetches_again(damage)
            await self.holding.install(manifest, levels)
        except CorruptBase as error:
            if self._fetches_again(error):
                self._etag = None
                return
            logger.exception("The base of the auth cache is damaged.", extra={"lsn": manifest.lsn})
            self._damaged, self._etag = self._etag, None
            if await self._is_current(manifest):
                if self.holding.manifest == manifest:  # what it answers from is read where it stands, unchecked
                    self._damage = str(error)
                await self._have_rebuilt(error, self._damaged or MISSING)
            else:
                self._damaged = None
        except Exception as error:  # noqa: BLE001 - whatever hindered it, the next look tries again
            logger.warning("The base could not be fetched: %s", error, extra={"lsn": manifest.lsn})
            self._etag = None
        else:
            self.local = True
            self.loads += 1
            self.loaded_at = datetime.now(UTC)

    async def _is_current(self, manifest: Manifest) -> bool:
        """Whether no fold has put another base in the place of this one, which may be damaged by being swept away."""
        try:
            current = await read_manifest()
        except ManifoldError:
            return True
        return current is None or current[0] == manifest

    def _fetches_again(self, error: CorruptBase) -> bool:
        """Whether it is a segment's first copy on this machine's disk: if its second is damaged too, the base is."""
        if not isinstance(error, DamagedCopy):
            return False
        if error.segment not in self._copies:
            logger.error("A copy of the base on this machine's disk is damaged; it is fetched again: %s", error)
        return self._copies.setdefault(error.segment, error.copy) == error.copy

    async def _have_rebuilt(self, error: CorruptBase, state: str) -> None:
        """Once for each state that is found, however often it is looked at."""
        if self._rebuild_wanted:
            return
        await want_rebuild(str(error), state)
        self.rebuilds += 1
        self._rebuild_wanted = True

    async def _try_to_refresh(self) -> None:
        try:
            await self.refresh()
        except TransientError as error:
            logger.warning("The end of the log could not be read: %s", error)

    async def _watch(self) -> None:
        """Look again before what is known gets too old, for as long as somebody asks."""
        while self._clock() - self._asked_at < IDLE_SECONDS:
            # Half the interval after the last look began: so this one ends before anybody has to wait for it.
            passed = self.age or 0
            await asyncio.sleep(max(0.01, self.settings.authcache_refresh_seconds / 2 - passed))
            await self._try_to_refresh()


def _forget(task: asyncio.Task[None]) -> None:
    """What a look came to that nobody waits for any more is told by the next."""
    if not task.cancelled():
        task.exception()


def silent() -> TransientError:
    """What is raised where the blobs have been waited for in vain."""
    return TransientError("The blobs do not answer.", code="blobs", retry_after=REBUILD_SECONDS)
