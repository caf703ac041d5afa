"""What is kept no longer: raw rows that no run has seen for long, and the details of runs that ended long ago.

A run's own row stays, with its counts: the history of the feed is small.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from shared.diamonds.runs.models import Purged
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from psycopg import AsyncConnection


WALK_ROWS = 20_000
"""Raw rows looked at in one transaction."""


# The rows are walked by their key: an index by age would cost every merge, and is needed once a night.
_WALK = """
with looked_at as (
    select feed, supplier_stone_id, updated_at, consolidation_status
    from diamonds.raw_diamonds
    where (feed, supplier_stone_id) > (%(feed)s, %(stone)s)
    order by feed, supplier_stone_id
    limit %(rows)s
), deleted as (
    delete from diamonds.raw_diamonds r
    using looked_at l
    where r.feed = l.feed and r.supplier_stone_id = l.supplier_stone_id
        and l.updated_at < now() - %(unseen_for)s and l.consolidation_status in ('done', 'failed')
        and not exists (
            select from diamonds.run_sightings s join diamonds.run_metadata m using (run_id)
            where s.supplier_stone_id = l.supplier_stone_id and m.feed = l.feed
                and m.started_at >= now() - %(unseen_for)s
        )
    returning 1
)
select (select count(*) from deleted) as deleted,
    (select to_jsonb(l) from looked_at l order by feed desc, supplier_stone_id desc limit 1) as last
"""

_OLD_RUNS = """
select run_id from diamonds.run_metadata m
where m.status <> 'running' and coalesce(m.completed_at, m.started_at) < now() - %(ended_for)s and (
    exists (select from diamonds.worker_runs w where w.run_id = m.run_id)
    or exists (select from diamonds.run_sightings s where s.run_id = m.run_id)
)
order by m.started_at limit 1
"""


async def purge(
    unseen_for: timedelta,
    ended_for: timedelta,
    seconds: float,
    *,
    after: tuple[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Purged:
    """Delete for about `seconds`: details of runs that ended longer ago than `ended_for`, then raw rows.

    A raw row goes when it has not changed and no run has seen it for `unseen_for`, unless it waits for consolidation.
    Its diamond stays. Sightings of younger runs are the proof of having been seen, so `unseen_for` reaches at most as
    far back as `ended_for` keeps those. Repeated, it deletes what is left. At its end the counts of what is on offer,
    which have grown by every change, are folded together.
    """
    deadline = clock() + seconds
    done = Purged(after=after)
    while clock() < deadline:
        async with database() as connection:
            step = await _old_run(connection, ended_for) or await _walk(connection, unseen_for, done.after)
        done = Purged(
            raw=done.raw + step.raw,
            sightings=done.sightings + step.sightings,
            partitions=done.partitions + step.partitions,
            after=step.after or done.after,
            finished=step.finished,
        )
        if done.finished:
            async with database() as connection:
                await connection.execute("select diamonds.fold_offer_figures()")
            break
    return done


async def _old_run(connection: AsyncConnection, ended_for: timedelta) -> Purged | None:
    found = await rows(connection, _OLD_RUNS, {"ended_for": ended_for})
    if not found:
        return None
    run = (found[0]["run_id"],)
    sightings = await connection.execute("delete from diamonds.run_sightings where run_id = %s", run)
    partitions = await connection.execute("delete from diamonds.worker_runs where run_id = %s", run)
    return Purged(sightings=sightings.rowcount, partitions=partitions.rowcount)


async def _walk(connection: AsyncConnection, unseen_for: timedelta, after: tuple[str, str] | None) -> Purged:
    feed, stone = after or ("", "")
    parameters = {"feed": feed, "stone": stone, "rows": WALK_ROWS, "unseen_for": unseen_for}
    found = (await rows(connection, _WALK, parameters, prepare=False))[0]
    last = found["last"]
    return Purged(raw=found["deleted"], after=last and (last["feed"], last["supplier_stone_id"]), finished=last is None)
