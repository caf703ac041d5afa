"""Commit: what waits becomes one group, created at the next LSN. It is durable when, and only when, it stands there."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic

from shared.authcache.log.groups import Group, Lsn, create_group, new_group, read_group
from shared.authcache.log.records import Change, Record
from shared.authcache.reading.instance import Instance, silent
from shared.authcache.reading.levels import Overlay
from shared.authcache.writing.turns import Turns
from shared.authcache.writing.uniqueness import Check
from shared.platform.calls.retry import Backoff, Time, retry
from shared.platform.errors import TransientError

CONTESTED_SECONDS = 1.0
"""After a lost race, an instance that wins pauses for up to YIELD_SECONDS, so that the others' turn comes."""
YIELD_SECONDS = 0.01
LEAST_SECONDS = 1.0
"""For which a write waits for the blobs where those have kept it waiting before already."""
UNKNOWN = Backoff(limit=0.5, first_delay=0.004, longest_delay=0.25)
"""How the place of a group is looked at whose writing was not answered."""


@dataclass(slots=True)
class _Write:
    records: Sequence[Record]
    check: Check | None
    done: asyncio.Future[Lsn] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def fail(self, error: BaseException) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def succeed(self, lsn: Lsn) -> None:
        if not self.done.done():
            self.done.set_result(lsn)


_Checked = tuple[list[_Write], list[tuple[_Write, Exception]], list[Change]]


class Committer:
    """Writes for one instance: one group is under way at a time, and what comes meanwhile forms the next."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._waiting: deque[_Write] = deque()
        self._working: asyncio.Task[None] | None = None
        self._turns = Turns(instance)
        self._lost_at = -CONTESTED_SECONDS

    async def commit(self, records: Sequence[Record], *, check: Check | None = None) -> Lsn:
        """Make the records durable, all of them or none; where they stand.

        `check` is called with the rows that the records will follow, and again after each lost race.

        Raises:
            Whatever `check` raises: nothing was written.
            TransientError: the blobs cannot be reached; with the code `commit-unknown` the records may yet stand.
        """
        write = _Write(records, check)
        self._waiting.append(write)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return await write.done

    async def _work(self) -> None:
        while self._waiting:
            await self._turns.wait()
            batch = self._batch()
            began = monotonic()
            try:
                stands = await self._write(batch)
            except BaseException as error:
                for write in batch:
                    write.fail(error)
                if monotonic() - began >= self._instance.max_wait_seconds:
                    self._send_away()
                if not isinstance(error, Exception):
                    raise
            else:
                if not stands:
                    self._waiting.extendleft(reversed(batch))

    def _send_away(self) -> None:
        """Refuse all that waits behind a group for which the blobs were waited for in vain: each would wait as long."""
        while self._waiting:
            self._waiting.popleft().fail(silent())

    def _batch(self) -> list[_Write]:
        """What waits, as far as it fits into one group."""
        most = self._instance.settings.authcache_group_records
        batch: list[_Write] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].records) <= most):
            batch.append(self._waiting.popleft())
            size += len(batch[-1].records)
        return batch

    async def _write(self, batch: list[_Write]) -> bool:
        """Try the next LSN; False: somebody else was faster, and their group was read.

        Those whose check fails are left out, and told once the group stands: what refuses them may be a write of the
        same group, which is not durable before.
        """
        arrived = monotonic()
        await self._instance.view()  # refuses when what is known is too old to write upon
        began = monotonic()
        # The group stands upon what it was checked against, though the instance may learn more meanwhile.
        lsn = self._instance.now().lsn + 1
        kept, refused, changes = await self._checked(batch)
        if refused:  # what refuses them may have been undone by somebody else since
            await self._instance.refresh(self._left(arrived))
            lsn = self._instance.now().lsn + 1
            kept, refused, changes = await self._checked(batch)
        if kept:
            records = [record for write in kept for record in write.records]
            group = new_group(self._instance.name, records)
            if (winner := await self._winner(lsn, group, self._left(arrived))) is not None:
                self._lost_at = monotonic()
                await self._instance.read_on(lsn, winner)
                return False
            await self._instance.extend(lsn, group, changes)
            self._turns.took(monotonic() - began)
        for write in kept:
            write.succeed(lsn)
        for write, error in refused:
            write.fail(error)
        if kept and monotonic() - self._lost_at < CONTESTED_SECONDS:
            await asyncio.sleep(random.random() * YIELD_SECONDS)  # noqa: S311 - spreads instances, keeps no secret
        return True

    async def _checked(self, batch: Sequence[_Write]) -> _Checked:
        """Who may stand, each upon those before it, who may not for which reason, and what the first change."""
        draft = Overlay()
        view = self._instance.now().under(draft)
        kept: list[_Write] = []
        refused: list[tuple[_Write, Exception]] = []
        all_changes: list[Change] = []
        for write in batch:
            own = Overlay()
            seen = view.under(own)
            try:
                if write.check is not None:
                    await write.check(seen)
                changes: list[Change] = []
                for record in write.records:
                    changes += (made := await record.changes(seen))
                    own.apply(made)
            except Exception as error:  # noqa: BLE001 - whatever a check raises is its writer's answer
                refused.append((write, error))
            else:
                draft.apply(changes)
                all_changes += changes
                kept.append(write)
        return kept, refused, all_changes

    def _left(self, arrived: float) -> float:
        """Seconds for which the blobs are still waited for by a group that was asked for then."""
        return max(LEAST_SECONDS, self._instance.max_wait_seconds - (monotonic() - arrived))

    async def _winner(self, lsn: Lsn, group: Group, left: float) -> Group | None:
        """The group of somebody else that stands at `lsn`; None if ours does. An answer that was lost is looked up.

        All of it takes `left` seconds at most. Raises TransientError with the code `commit-unknown`.
        """

        async def attempt(_left: float) -> Group | None:
            if await create_group(lsn, group):
                return None
            standing = await read_group(lsn)
            if standing is None:
                raise TransientError("The place of the group is taken, and empty.", code="blobs")
            return None if standing.id == group.id else standing

        try:
            async with asyncio.timeout(left):
                return await retry(attempt, UNKNOWN, Time())
        except (TransientError, TimeoutError) as error:
            raise TransientError(
                "Whether the write stands is not known: the blobs do not answer.",
                code="commit-unknown",
                remedy="Read before you try again.",
            ) from error
