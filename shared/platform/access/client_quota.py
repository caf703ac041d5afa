"""How many requests each client may send: one token bucket a client, shared by all instances.

The bucket is a row that holds when it will be full again (the generic cell rate algorithm): taking a token is one small
statement. It holds a minute's requests and fills evenly, so over any m minutes at most (m + 1) times the limit pass.
An empty bucket is remembered here, so that a client that goes on asking costs the database nothing.
"""

from __future__ import annotations

from math import ceil
from time import monotonic
from typing import TYPE_CHECKING, Any

from shared.platform.errors import RateLimited
from shared.platform.per_loop import PerLoop
from shared.platform.stores.postgres import database, each_statement_commits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import AsyncConnection

WINDOW_SECONDS = 60

# When each client's empty bucket has a token again. By loop since a test session has several, each with its database.
_empty_until = PerLoop[dict[str, float]](dict)


async def take(client: str, per_minute: int) -> Mapping[str, str]:
    """Take one request from the client's quota; what is left of it, as headers. 0 a minute: no limit, no headers.

    Raises:
        RateLimited: none is left; `retry_after` says when the next will be.
        TransientError: the database did not answer.
    """
    if not per_minute:
        return {}
    empty = _empty_until.get()
    wait = empty.get(client, 0) - monotonic()
    if wait <= 0:
        empty.pop(client, None)
        full_in, wait = await _take(client, WINDOW_SECONDS / per_minute)
        if full_in is not None:
            left = int((WINDOW_SECONDS - full_in) * per_minute / WINDOW_SECONDS)
            return _headers(per_minute, left=max(left, 0), reset=full_in)
        empty[client] = monotonic() + wait
    raise RateLimited(
        f"{client} has sent its {per_minute} requests a minute.",
        retry_after=wait,
        headers=_headers(per_minute, left=0, reset=wait),
        remedy="Send the next request after the seconds that Retry-After says, and the others evenly.",
    )


def _headers(per_minute: int, *, left: int, reset: float) -> Mapping[str, str]:
    # As the IETF's draft on RateLimit headers has them: quota and window, then what remains and when that changes.
    return {
        "RateLimit-Policy": f'"client";q={per_minute};w={WINDOW_SECONDS}',
        "RateLimit": f'"client";r={left};t={ceil(max(reset, 0))}',
    }


async def _take(client: str, gap: float) -> tuple[float | None, float]:
    """Seconds until the bucket is full again, or None and the seconds until it has a token."""
    given = {"client": client, "gap": gap, "room": WINDOW_SECONDS - gap}
    async with database() as db, each_statement_commits(db):
        taken = await _seconds(
            db,
            """
            insert into platform.client_quotas as mine (client_name, full_at)
            values (%(client)s, clock_timestamp() + %(gap)s * interval '1 second')
            on conflict (client_name) do update
                set full_at = greatest(mine.full_at, clock_timestamp()) + %(gap)s * interval '1 second'
                where mine.full_at <= clock_timestamp() + %(room)s * interval '1 second'
            returning extract(epoch from full_at - clock_timestamp())::float8
            """,
            given,
        )
        if taken is not None:
            return taken, 0
        wait = await _seconds(
            db,
            "select extract(epoch from full_at - clock_timestamp())::float8 - %(room)s"
            " from platform.client_quotas where client_name = %(client)s",
            given,
        )
    return None, max(wait or 0, 0)


async def _seconds(db: AsyncConnection[Any], query: str, given: Mapping[str, Any]) -> float | None:
    row = await (await db.execute(query.encode(), given)).fetchone()
    return row[0] if row else None
