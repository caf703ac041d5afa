"""From a supplier's pages to raw rows, each diamond once, whatever is delivered twice or dies on the way.

A partition's mark (pass, offset) is moved only by who saw where it stood, in one transaction with the rows read from
there. A pass ends at an empty page, never at a short one; at its end the partition compares the diamonds that it has
seen with what the supplier counts, and begins another pass if they are fewer.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.diamonds.ingestion.models import IngestPages, Mark, PagesIngested, Stone
from shared.diamonds.ingestion.payloads import LONGEST_ID, canonical, key, storable_text
from shared.diamonds.runs.lifecycle import keep_running
from shared.platform.errors import ManifoldError, NotFound, TerminalError
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from psycopg import AsyncConnection

    from shared.diamonds.ingestion.paging import Pages
    from shared.diamonds.ingestion.suppliers.base import Supplier

PASSES = 3
"""Passes over a partition before it fails because the supplier counts more than it lists."""
BATCH_ROWS = 1_000
BATCH_SECONDS = 2.0
"""A transaction holds about this many rows, or what comes in that time: what a crash makes us read again."""

MOST_LATE_PAGES = 100
MOST_EMPTY_PAGES = 100
"""Of a pass, besides as many as it has rows: a supplier may send some, where it filters its pages."""

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Batch:
    """What was read on from a mark. `error` ended the reading and is raised once the stones are stored."""

    stones: list[Stone] = field(default_factory=list[Stone])
    ended: bool = False
    error: ManifoldError | None = None


async def copy_pages(
    supplier: Supplier,
    task: IngestPages,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> PagesIngested:
    """Copy the partition's pages from where its mark stands, for about `task.seconds`; call again until `done`.

    At least one page is read each time. Of two deliveries of a partition at once one moves the mark; the other gives
    back where it stands.

    Raises:
        NotFound: the run has no such partition.
        Conflict: the run is not running (`run-ended`), for example because it was cancelled.
        TransientError, TerminalError: the supplier's or the database's. What was read before it is stored.
    """
    deadline = clock() + task.seconds
    changed = 0
    mark = await _load(task)
    pages: Pages | None = None
    while not mark.completed:
        pages = pages or supplier.read(task.partition.prices, task.plan.window, mark)
        batch = await _read(pages, task, mark, clock, deadline=min(deadline, clock() + BATCH_SECONDS))
        moved: Mark | None = mark
        if batch.stones or pages.token != mark.next_token:
            to = Mark(
                sweep=mark.sweep,
                next_offset=max(pages.offset, mark.next_offset),
                next_token=pages.token,
                empty_pages=pages.empty,
            )
            moved, differing = await _store(task, mark, to, batch.stones)
            changed += differing
        if batch.error:
            raise batch.error
        if moved and batch.ended:
            moved, pages = await _end_pass(supplier, task, moved), None
        mark = moved or await _load(task)
        if not moved or clock() >= deadline:
            break
    return PagesIngested(next_offset=mark.next_offset, records=mark.records, changed=changed, done=mark.completed)


async def _read(pages: Pages, task: IngestPages, mark: Mark, clock: Callable[[], float], *, deadline: float) -> _Batch:
    """Read until the time or the rows of a batch are reached, but beyond the mark, so that each batch moves it.

    A supplier that does not get beyond it within MOST_LATE_PAGES of the time's end is left for the next time box.
    """
    batch = _Batch()
    most = 10 * task.partition.expected + 10_000
    late = 0
    try:
        while not pages.ended:
            if clock() >= deadline or len(batch.stones) >= BATCH_ROWS:
                late += 1
                beyond = pages.offset > mark.next_offset or pages.token != mark.next_token
                if beyond or late > MOST_LATE_PAGES:
                    break
            if pages.offset > most:
                raise TerminalError(
                    f"The supplier still sends diamonds at offset {pages.offset} of partition"
                    f" {task.partition.partition_id}, where it counted {task.partition.expected}.",
                    code="endless-partition",
                    remedy="See whether the supplier's paging works.",
                )
            if pages.empty > MOST_EMPTY_PAGES + pages.offset:
                raise TerminalError(
                    f"The supplier sent {pages.empty} pages without a diamond in partition"
                    f" {task.partition.partition_id}, and names a next one each time.",
                    code="endless-partition",
                    remedy="See whether the supplier's paging works.",
                )
            batch.stones.extend(await pages.next())
    except ManifoldError as error:
        batch.error = error
    batch.ended = pages.ended and batch.error is None
    return batch


async def _store(task: IngestPages, mark: Mark, to: Mark, stones: list[Stone]) -> tuple[Mark | None, int]:
    """Store what was read from the mark on and move it; the new mark (None: overtaken) and how many stones differed."""
    values = _incoming(stones)
    async with database() as connection:
        if not await _move(connection, task, mark, to):
            return None, 0
        await connection.execute(_INCOMING)
        async with connection.cursor().copy(_COPY) as copy:
            copy.set_types(["text", "text", "timestamptz", "text", "bytea"])
            for row in values:
                await copy.write_row(row)
        run = {"run_id": task.plan.run_id, "partition_id": task.partition.partition_id, "feed": task.plan.feed}
        seen = await connection.execute(_SIGHTINGS, run, prepare=False)
        merged = await connection.execute(_MERGE, run, prepare=False)
        counted = await rows(connection, _COUNT_IN, {**run, "seen": seen.rowcount})
    return to.model_copy(update={"records": counted[0]["records_processed"]}), merged.rowcount


def _incoming(stones: list[Stone]) -> list[tuple[str, str, datetime | None, str, bytes]]:
    """One row a stone; of one that came twice, the last."""
    incoming: dict[str, tuple[str, str, datetime | None, str, bytes]] = {}
    for stone in stones:
        payload, digest = canonical(stone.payload)
        stone_id = key(stone, digest)
        incoming[stone_id] = (
            stone_id,
            storable_text(stone.offer_id)[:LONGEST_ID],
            stone.source_updated_at,
            payload,
            digest,
        )
    return list(incoming.values())


async def _end_pass(supplier: Supplier, task: IngestPages, mark: Mark) -> Mark | None:
    """Complete the partition, or begin another pass if the supplier counts more than was seen; None: overtaken.

    Raises:
        TerminalError: in the last pass, too, the supplier has listed fewer than it counts (`partition-short`).
    """
    counted = await supplier.count(task.partition.prices, task.plan.window)
    short = mark.records < counted
    again = short and mark.sweep + 1 < PASSES
    # Rows that come twice are counted twice and seen once: what was listed is at least what the offset says.
    if not again and max(mark.records, mark.next_offset) < counted:
        raise TerminalError(
            f"Partition {task.partition.partition_id} has {mark.records:,} diamonds where the supplier counts"
            f" {counted:,}, after {PASSES} passes.",
            code="partition-short",
            remedy="Ask the supplier, or read it again with retry-workers; what it does not list is not deleted.",
        )
    to = mark.model_copy(
        update={"sweep": mark.sweep + 1, "next_offset": 0, "next_token": None, "empty_pages": 0}
        if again
        else {"completed": True}
    )
    async with database() as connection:
        if not await _move(connection, task, mark, to, counted):
            return None
        if to.completed:
            await connection.execute(
                "update diamonds.worker_runs set status = 'completed', completed_at = now(), error_message = null"
                " where run_id = %s and partition_id = %s",
                (task.plan.run_id, task.partition.partition_id),
            )
    if short:
        _logger.warning(
            "Partition %s of run %s has seen %d diamonds where the supplier counts %d; %s",
            task.partition.partition_id,
            task.plan.run_id,
            mark.records,
            counted,
            "another pass begins" if again else "some were listed twice, and nothing at its prices is marked deleted",
        )
    return to


async def _load(task: IngestPages) -> Mark:
    async with database() as connection:
        found = await rows(
            connection,
            "select p.next_offset, p.next_token, p.empty_pages, p.sweep, p.completed, w.records_processed as records"
            " from diamonds.partition_progress p join diamonds.worker_runs w using (run_id, partition_id)"
            " where run_id = %s and partition_id = %s",
            (task.plan.run_id, task.partition.partition_id),
        )
    if not found:
        raise NotFound(
            f"Run {task.plan.run_id} has no partition {task.partition.partition_id}.", code="unknown-partition"
        )
    return Mark.model_validate(found[0])


async def _move(
    connection: AsyncConnection[Any], task: IngestPages, mark: Mark, to: Mark, counted: int | None = None
) -> bool:
    """Move the mark if it still stands where it was seen. The run cannot end before this transaction does."""
    run_id = task.plan.run_id
    await keep_running(connection, run_id)
    moved = await connection.execute(
        """
        update diamonds.partition_progress set sweep = %s, next_offset = %s, next_token = %s, empty_pages = %s,
            completed = %s, failed = false, counted = coalesce(%s, counted), updated_at = now()
        where run_id = %s and partition_id = %s and sweep = %s and next_offset = %s
            and next_token is not distinct from %s and not completed
        """,
        (
            to.sweep,
            to.next_offset,
            to.next_token,
            to.empty_pages,
            to.completed,
            counted,
            run_id,
            task.partition.partition_id,
            mark.sweep,
            mark.next_offset,
            mark.next_token,
        ),
    )
    return moved.rowcount == 1


_INCOMING = """
create temporary table if not exists incoming (
    supplier_stone_id text collate "C", offer_id text, source_updated_at timestamptz, payload text, payload_hash bytea
) on commit delete rows
"""

_COPY = "copy incoming from stdin (format binary)"

_SIGHTINGS = """
insert into diamonds.run_sightings (run_id, partition_id, supplier_stone_id)
select %(run_id)s, %(partition_id)s, supplier_stone_id from incoming order by supplier_stone_id
on conflict do nothing
"""

# Sorted, so that two partitions that meet the same diamonds lock them in the same order. A row that has not changed is
# not even locked. Within a run a diamond that moved to another partition may come there newer than here. `offset 0`
# keeps the look-up by key: planned as a join, it would read all of the feed's rows for each batch.
_MERGE = """
insert into diamonds.raw_diamonds as stored
    (feed, run_id, supplier_stone_id, offer_id, source_updated_at, payload, payload_hash)
select %(feed)s, %(run_id)s, i.supplier_stone_id, i.offer_id, i.source_updated_at, i.payload::jsonb, i.payload_hash
from incoming i left join lateral (
    select payload_hash from diamonds.raw_diamonds r
    where r.feed = %(feed)s and r.supplier_stone_id = i.supplier_stone_id offset 0
) known on true
where known.payload_hash is distinct from i.payload_hash
order by i.supplier_stone_id
on conflict (feed, supplier_stone_id) do update
set run_id = excluded.run_id, offer_id = excluded.offer_id, source_updated_at = excluded.source_updated_at,
    payload = excluded.payload, payload_hash = excluded.payload_hash, consolidation_status = 'pending',
    failure_reason = null, claimed_at = null, claimed_by = null, updated_at = now()
where stored.payload_hash <> excluded.payload_hash and not coalesce(
    stored.run_id = excluded.run_id and stored.source_updated_at > excluded.source_updated_at, false)
"""

_COUNT_IN = """
update diamonds.worker_runs
set records_processed = records_processed + %(seen)s, status = 'running', error_message = null,
    started_at = coalesce(started_at, now()), completed_at = null
where run_id = %(run_id)s and partition_id = %(partition_id)s
returning records_processed
"""
