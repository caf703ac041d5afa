"""From staged records to papers: a record that is older than what is known changes nothing, by its own date."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.papers.ingesting.errors import ingest_ended
from shared.papers.ingesting.staging import BATCH_RECORDS
from shared.papers.models import IngestRef, IngestState, Merged
from shared.papers.settings import settings
from shared.platform.stores.postgres import DataRefused, database, rows

if TYPE_CHECKING:
    from collections.abc import Callable

MUCH = 0.1
"""Share of the known papers that an ingest added or changed, over which the planner's statistics are made anew."""


async def merge(ingest: IngestRef, *, clock: Callable[[], float] = time.monotonic) -> Merged:
    """Merge staged records for about a time box; call again until `done`. A repeat goes on where the last one ended.

    A batch that the database refuses is halved until the record that it refuses is alone; that one is rejected.

    Raises:
        Conflict: the ingest is not being merged.
    """
    deadline = clock() + settings().papers_ingest_seconds
    added = changed = unchanged = 0
    size, done = BATCH_RECORDS, False
    while not done and (not (added or changed or unchanged) or clock() < deadline):
        try:
            row = await _merge_batch(ingest.ingest_id, size)
        except DataRefused as error:
            if size == 1:
                await _reject_next(ingest.ingest_id, error.reason)
            size = max(size // 2, 1)
            continue
        size = min(size * 2, BATCH_RECORDS)
        added, changed = added + row["added"], changed + row["changed"]
        unchanged += row["moved"] - row["added"] - row["changed"]
        done = not row["moved"]
    if done:
        await _refresh_statistics(ingest.ingest_id)
    return Merged(added=added, changed=changed, unchanged=unchanged, done=done)


async def _merge_batch(ingest_id: UUID, size: int) -> dict[str, Any]:
    async with database() as connection:
        await _check(connection, ingest_id)
        [row] = await rows(connection, _MERGE, {"ingest_id": ingest_id, "size": size}, prepare=False)
    return row


async def _reject_next(ingest_id: UUID, reason: str) -> None:
    """Give up the record that comes next."""
    async with database() as connection:
        await _check(connection, ingest_id)
        await connection.execute(_REJECT_NEXT, {"ingest_id": ingest_id, "reason": reason[:300]})


async def _check(connection: Any, ingest_id: UUID) -> None:
    """The ingest is locked, so that two deliveries merge one after the other and nobody ends it meanwhile."""
    ingests = await rows(connection, "select state from papers.ingests where ingest_id = %s for update", (ingest_id,))
    state = ingests[0]["state"] if ingests else None
    if state != IngestState.MERGING:
        raise ingest_ended(ingest_id, state, IngestState.MERGING)


async def _refresh_statistics(ingest_id: UUID) -> None:
    """Let the planner know of an ingest that changed much: autovacuum comes a minute later, or when it has time."""
    async with database() as connection:
        [row] = await rows(
            connection,
            "select added + changed > %s * greatest(reltuples, 0) as much from papers.ingests, pg_class"
            " where ingest_id = %s and pg_class.oid = 'papers.papers'::regclass",
            (MUCH, ingest_id),
        )
        if row["much"]:
            await connection.execute("select papers.refresh_statistics()")


_FIELDS = (
    "title, abstract, authors, author_keys, categories, primary_date, doi, arxiv_id, link, withdrawn, version_at,"
    " details, content_hash"
)
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in _FIELDS.split(", "))

_MERGE = f"""
with moved as (
    delete from papers.staged where ingest_id = %(ingest_id)s and (part, line) in (
        select part, line from papers.staged where ingest_id = %(ingest_id)s order by part, line limit %(size)s
    ) returning *
), merged as (
    insert into papers.papers as known (source, source_id, {_FIELDS})
    select (select source from papers.ingests where ingest_id = %(ingest_id)s), source_id, {_FIELDS}
    from moved order by source_id
    on conflict (source, source_id) do update set {_CHANGES}, updated_at = now()
    where excluded.content_hash <> known.content_hash
        and coalesce(excluded.version_at, '-infinity') >= coalesce(known.version_at, '-infinity')
    returning new.paper_id, old.paper_id is null as added,
        (old.title, old.abstract) is distinct from (new.title, new.abstract) as reworded
), queued as (
    insert into papers.unembedded as known (model_id, paper_id)
    select m.model_id, merged.paper_id from merged, papers.models m
    where reworded and m.state in ('building', 'current')
    on conflict (model_id, paper_id) do update set attempts = 0, claim = null, claimed_until = null, error = null,
        refusals = 0, refusal = null
), counts as (
    select (select count(*) from moved)::int as moved, count(*) filter (where added)::int as added,
        count(*) filter (where not added)::int as changed
    from merged
), counted as (
    update papers.ingests set added = ingests.added + counts.added, changed = ingests.changed + counts.changed,
        unchanged = ingests.unchanged + counts.moved - counts.added - counts.changed
    from counts where ingest_id = %(ingest_id)s
)
select * from counts
"""  # noqa: S608 - column names from this file

_REJECT_NEXT = """
with next as (
    delete from papers.staged where ingest_id = %(ingest_id)s and (part, line) in (
        select part, line from papers.staged where ingest_id = %(ingest_id)s order by part, line limit 1
    ) returning part, line, source_id, title
), counted as (
    update papers.ingest_parts p set records = records - 1, rejected = rejected + 1
    from next where p.ingest_id = %(ingest_id)s and p.part = next.part
)
insert into papers.rejects (ingest_id, part, line, reason, record)
select %(ingest_id)s, part, line, %(reason)s, source_id || ' ' || title from next
"""
