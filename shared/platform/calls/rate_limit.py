"""One pace for everything that speaks to an account elsewhere: all activities, on all host instances.

A row in PostgreSQL holds the moment from which the account's next request may go out. Whoever wants to send moves it on
by one gap, in one atomic statement by the database's clock, and sleeps until the moment it took: a turn.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from shared.platform.errors import TransientError
from shared.platform.per_loop import PerLoop
from shared.platform.stores.postgres import database, each_statement_commits

if TYPE_CHECKING:
    from psycopg import AsyncConnection

SHARE_USED = 0.96
"""Turns are a little further apart than the limit allows: over the limit's worth of turns that leaves 40 ms in a second
for requests to arrive late or early, so that no second at the other side ever sees one too many."""
LATEST_SECONDS = 0.03
"""A turn that is missed by more (a busy event loop) is given up: used late, it would crowd the turns of others."""
AHEAD_SECONDS = 0.08
"""How far ahead one process takes turns: enough to hide the way to the database, little enough that a pause which the
other side asks for holds for nearly everyone."""
MOST_PAUSE_SECONDS = 3600
ACCOUNT_PAUSED = "account-paused"
"""Code of the error that says that no turn came in time: nothing was sent."""


class RateLimit(Protocol):
    """The pace of one account."""

    async def turn(self, max_wait_seconds: float) -> None:
        """Return when the next request may be sent, and send it at once.

        Raises:
            TransientError: the account is paused for more than `max_wait_seconds`; `retry_after` says how long.
        """
        ...

    async def pause(self, seconds: float) -> None:
        """Let nobody send for so long (at most an hour): the other side asked for it."""
        ...


_limits = PerLoop[dict[tuple[str, float], RateLimit]](dict)


def rate_limit(account: str, requests_per_second: float) -> RateLimit:
    """The pace of an account, shared by all processes that use the database; 0 requests/s: no limit and no database."""
    limits = _limits.get()
    key = (account, requests_per_second)
    if key not in limits:
        limits[key] = SharedRateLimit(*key) if requests_per_second else Unlimited(account)
    return limits[key]


def retry_after(value: str | None) -> float | None:
    """Seconds that a Retry-After header asks to wait, given as seconds or as a date; None if absent or unreadable.

    Some services send fractions of a second. At most an hour: whoever asks for a day is asked again in an hour, and
    meanwhile an operator knows.
    """
    if not value:
        return None
    if value.strip().replace(".", "", 1).isdecimal():
        return min(float(value), MOST_PAUSE_SECONDS)
    try:
        wait = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(wait, 0), MOST_PAUSE_SECONDS)


class Unlimited:
    """No pace, only pauses; known to this process alone."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._resume_at = 0.0

    async def turn(self, max_wait_seconds: float) -> None:
        """At once, unless paused; raises as the port says."""
        while (wait := self._resume_at - monotonic()) > 0:
            if wait > max_wait_seconds:
                raise _paused(self._account, wait)
            await asyncio.sleep(wait)

    async def pause(self, seconds: float) -> None:
        """Hold the requests of this process."""
        self._resume_at = max(self._resume_at, monotonic() + min(seconds, MOST_PAUSE_SECONDS))


@dataclass(slots=True)
class SharedRateLimit:
    """The pace of an account over all processes: at most so many requests reach the other side in any second.

    It gives out 96 % of that, evenly spaced. A process takes its turns one by one, not in batches: 25 small updates a
    second are nothing to the database, and a batch would be lost to the others whenever its owner stops half-way.
    """

    account: str
    requests_per_second: float
    _ahead: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._ahead = asyncio.Semaphore(ceil(self.requests_per_second * AHEAD_SECONDS))

    async def turn(self, max_wait_seconds: float) -> None:
        """When this process's next turn comes; first come, first served. Raises as the port says."""
        async with self._ahead:
            while True:
                begins, missed = await self._take(max_wait_seconds)
                await asyncio.sleep(begins - monotonic())
                if monotonic() < missed:
                    return

    async def pause(self, seconds: float) -> None:
        """Hold the requests of every process."""
        async with database() as db:
            await db.execute(
                """
                insert into platform.rate_limits as mine (account, next_free)
                values (%(account)s, clock_timestamp() + %(seconds)s * interval '1 second')
                on conflict (account) do update set next_free = greatest(mine.next_free, excluded.next_free)
                """,
                {"account": self.account, "seconds": min(seconds, MOST_PAUSE_SECONDS)},
            )

    async def _take(self, max_wait_seconds: float) -> tuple[float, float]:
        """Take the next turn: when it begins, and from when on it is missed, both on this process's own clock."""
        async with database() as db, each_statement_commits(db):
            sent_at = monotonic()
            row = await (
                await db.execute(
                    """
                    insert into platform.rate_limits as mine (account, next_free)
                    values (%(account)s, clock_timestamp() + %(gap)s * interval '1 second')
                    on conflict (account) do update
                        set next_free = greatest(mine.next_free, clock_timestamp()) + %(gap)s * interval '1 second'
                        where mine.next_free <= clock_timestamp() + %(max_wait_seconds)s * interval '1 second'
                    returning
                        extract(epoch from next_free - clock_timestamp())::float8 - %(gap)s,
                        extract(epoch from clock_timestamp() - statement_timestamp())::float8
                    """,
                    {
                        "account": self.account,
                        "gap": 1 / (SHARE_USED * self.requests_per_second),
                        "max_wait_seconds": max_wait_seconds,
                    },
                )
            ).fetchone()
            answered = monotonic()
            if row is None:
                raise _paused(self.account, await self._left(db))
        wait, queued = row
        # The statement ran at some moment between the two readings of this clock, and not before it had queued for the
        # row. A turn is begun by the later bound and counts as missed by the earlier one: wrong only to the safe side.
        return answered + max(wait, 0), sent_at + queued + wait + LATEST_SECONDS

    async def _left(self, db: AsyncConnection[Any]) -> float:
        row = await (
            await db.execute(
                "select extract(epoch from next_free - clock_timestamp())::float8 from platform.rate_limits"
                " where account = %s",
                (self.account,),
            )
        ).fetchone()
        return max(row[0], 0) if row else 0


def _paused(account: str, seconds: float) -> TransientError:
    return TransientError(
        f"The account {account} is paused for another {seconds:.0f} s: its rate limit was exceeded.",
        code=ACCOUNT_PAUSED,
        retry_after=seconds,
    )
