"""Prices of the diamonds on offer under changed rules: what a change would do, and doing it.

A re-pricing walks a feed's diamonds in the order of their ids, some thousand a transaction, and writes those whose
price, ratio or rating is not what the rules say. How far it is stands in `diamonds.repricings` and moves in the same
transaction. If a rule changes meanwhile, it begins again with the new ones.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from shared.diamonds.pricing.models import RepriceFeed, Repricing
from shared.diamonds.pricing.rules import hold_rules
from shared.platform.errors import Conflict, NotFound
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from uuid import UUID

    from psycopg import AsyncConnection


BATCH_ROWS = 10_000
"""Diamonds that one transaction looks at: a second's work, for which a change of the rules waits."""


_COLUMNS = """repricing_id, feed, status, rules_version, restarts, total, looked_at, changed, value_change::float8,
    error, started_at, completed_at"""
_STORED = f"select {_COLUMNS} from diamonds.repricings"  # noqa: S608 - names written above

_END_SILENT = f"""
update diamonds.repricings set status = 'failed', completed_at = now(), updated_at = now(),
    error = 'Nobody works on it any more: its orchestration was terminated.'
where status = 'running' and updated_at < now() - %s returning {_COLUMNS}
"""  # noqa: S608 - names written above

# A left join, though `markup_of` always gives a row: conditions on its answer stay outside, where they do not keep
# PostgreSQL from remembering it.
PRICED = """
left join lateral diamonds.markup_of(d.feed, d.shape, d.carats, d.lab_grown{}) m on true
cross join lateral (select diamonds.retail_price(d.price_model_price, m.markup_ratio) as retail_price, m.*) n
"""
"""Of stored diamonds `d`: their prices under the rules, as `n`. Between the braces goes what else `markup_of` takes."""

DIFFERS = """
(d.retail_price, d.markup_ratio, d.rating) is distinct from (n.retail_price, n.markup_ratio, n.rating)
"""

# Only rows that differ are locked and written. They are locked in the order in which consolidation locks them, and
# read again under the lock: a price that the supplier has just changed is not overwritten with the one before.
_BATCH = f"""
with batch as materialized (
    select id, feed, supplier_stone_id, carats, shape, lab_grown, price_model_price, retail_price, markup_ratio, rating
    from diamonds.diamonds where id > %(after)s and feed = %(feed)s and status = 'active' order by id limit %(rows)s
), due as materialized (
    select d.id from batch d {PRICED.format("")} where {DIFFERS}
), locked as materialized (
    select d.id, d.feed, d.carats, d.shape, d.lab_grown, d.price_model_price, d.retail_price, d.markup_ratio, d.rating
    from diamonds.diamonds d join due using (id) where d.status = 'active' order by d.supplier_stone_id for update of d
), priced as materialized (
    select d.id, d.retail_price as before, n.retail_price, n.markup_ratio, n.rating
    from locked d {PRICED.format("")} where {DIFFERS}
), written as (
    update diamonds.diamonds d
    set retail_price = p.retail_price, markup_ratio = p.markup_ratio, rating = p.rating, updated_at = now()
    from priced p where d.id = p.id
)
select (select max(id) from batch) as last, (select count(*) from batch) as looked_at, count(*) as changed,
    coalesce(sum(retail_price - before), 0) as value_change
from priced
"""  # noqa: S608 - parts written above


async def begin(request: RepriceFeed) -> Repricing:
    """Make this the running re-pricing of its feed; one that was left running is superseded. May be repeated.

    Raises:
        Conflict: this one has ended (`repricing-ended`).
    """
    async with database() as connection:
        version = await hold_rules(connection)
        await connection.execute(
            "update diamonds.repricings set status = 'superseded', completed_at = now(), updated_at = now()"
            " where feed = %s and status = 'running' and repricing_id <> %s",
            (request.feed, request.repricing_id),
        )
        await connection.execute(
            "insert into diamonds.repricings (repricing_id, feed, rules_version, total) select %s, %s, %s, count(*)"
            " from diamonds.diamonds where feed = %s and status = 'active' on conflict (repricing_id) do nothing",
            (request.repricing_id, request.feed, version, request.feed),
        )
        return _running(await _read(connection, request.repricing_id))


async def reprice(repricing_id: UUID, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> Repricing:
    """Go on for about `seconds` from the mark; call again until it is completed. May be repeated, also at once.

    Raises:
        Conflict: it was superseded or has failed (`repricing-ended`).
        TransientError: the database's. What was committed before it is done.
    """
    deadline = clock() + seconds
    while True:
        async with database() as connection:
            now = await _step(connection, repricing_id)
        if now.status == "completed" or clock() >= deadline:
            return now


async def fail(repricing_id: UUID, error: str) -> Repricing:
    """Note why a re-pricing was given up, unless it has ended. What it has written stays."""
    async with database() as connection:
        await connection.execute(
            "update diamonds.repricings set status = 'failed', error = %s, completed_at = now(), updated_at = now()"
            " where repricing_id = %s and status = 'running'",
            (error, repricing_id),
        )
        return await _read(connection, repricing_id)


async def end_stale(quiet_for: timedelta) -> list[Repricing]:
    """End running re-pricings that have not moved for that long: their orchestrations were terminated."""
    async with database() as connection:
        found = await rows(connection, _END_SILENT, (quiet_for,))
    return [Repricing.model_validate(row) for row in found]


async def read_repricing(repricing_id: UUID) -> Repricing:
    """A re-pricing as it stands. Raises NotFound if there is none of that id."""
    async with database() as connection:
        return await _read(connection, repricing_id)


async def last_repricings() -> list[Repricing]:
    """The newest re-pricing of each feed, in the order of their names."""
    newest = _STORED.replace("select", "select distinct on (feed)", 1)
    async with database() as connection:
        found = await rows(connection, f"{newest} order by feed, started_at desc, repricing_id")
    return [Repricing.model_validate(row) for row in found]


async def _step(connection: AsyncConnection[Any], repricing_id: UUID) -> Repricing:
    """One batch and its mark. Who else works on the same re-pricing waits, and goes on behind it."""
    version = await hold_rules(connection)
    state = await rows(
        connection,
        "select feed, status, rules_version, after_id from diamonds.repricings where repricing_id = %s for update",
        (repricing_id,),
    )
    if not state or state[0]["status"] != "running":
        now = await _read(connection, repricing_id)
        return now if now.status == "completed" else _running(now)
    changed_rules = state[0]["rules_version"] != version
    after = 0 if changed_rules else state[0]["after_id"]
    parameters = {"after": after, "feed": state[0]["feed"], "rows": BATCH_ROWS}
    batch = (await rows(connection, _BATCH, parameters, prepare=False))[0]
    moved = await rows(
        connection,
        f"""
        update diamonds.repricings set rules_version = %(version)s, restarts = restarts + %(restarted)s::int,
            after_id = %(last)s, looked_at = case when %(restarted)s then 0 else looked_at end + %(looked_at)s,
            changed = changed + %(changed)s, value_change = value_change + %(value_change)s, updated_at = now(),
            status = %(status)s, completed_at = case when %(status)s = 'completed' then now() end
        where repricing_id = %(id)s and after_id = %(mark)s
        returning {_COLUMNS}
        """,  # noqa: S608 - names written above
        {
            **batch,
            "id": repricing_id,
            "version": version,
            "restarted": changed_rules,
            "mark": state[0]["after_id"],
            "last": batch["last"] or after,
            "status": "completed" if batch["looked_at"] < BATCH_ROWS else "running",
        },
    )
    return Repricing.model_validate(moved[0])


async def _read(connection: AsyncConnection[Any], repricing_id: UUID) -> Repricing:
    found = await rows(connection, f"{_STORED} where repricing_id = %s", (repricing_id,))
    if not found:
        raise NotFound(f"There is no re-pricing {repricing_id}.", code="unknown-repricing")
    return Repricing.model_validate(found[0])


def _running(now: Repricing) -> Repricing:
    if now.status != "running":
        raise Conflict(
            f"Re-pricing {now.repricing_id} is {now.status}.", code="repricing-ended", remedy="Start another."
        )
    return now
