"""Ingests as people see them: how far they are, what was rejected, and how they end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import UUID

from shared.papers.ingesting.errors import unknown_ingest, wrong_state
from shared.papers.models import EndIngest, Ingest, IngestState, Reject
from shared.papers.settings import settings
from shared.platform.stores.blob_files import create_blob, delete_blob
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.papers.models import IngestRef

_PAGE = 1_000


async def find(ingest_id: UUID) -> Ingest:
    """The ingest.

    Raises:
        NotFound: there is none of this id.
    """
    async with database() as connection:
        ingests = await rows(connection, _SELECT + "where i.ingest_id = %s", (ingest_id,))
    if not ingests:
        raise unknown_ingest(ingest_id)
    return Ingest.model_validate(ingests[0])


async def newest(limit: int, before: UUID | None) -> list[Ingest]:
    """Ingests, the newest first, from the one after `before` on."""
    async with database() as connection:
        ingests = await rows(
            connection,
            _SELECT + _NEWEST,
            {"before": before, "limit": limit},
        )
    return [Ingest.model_validate(row) for row in ingests]


async def rejects(ingest_id: UUID, limit: int, after: tuple[int, int]) -> tuple[list[Reject], tuple[int, int] | None]:
    """Rejected records behind (part, line), and where the next page begins; None: there is none."""
    async with database() as connection:
        records = await rows(
            connection, _REJECTS, {"ingest_id": ingest_id, "part": after[0], "line": after[1], "limit": limit + 1}
        )
    page = records[:limit]
    following = (page[-1]["part"], page[-1]["line_of_part"]) if len(records) > limit else None
    return [Reject.model_validate(row) for row in page], following


async def write_rejects(ingest: IngestRef) -> None:
    """Write the rejected records into a file, one JSON object a line; done before, it stays. None: no file."""
    name = rejects_blob(ingest.ingest_id)

    async def pages() -> AsyncIterator[bytes]:
        after: tuple[int, int] | None = (-1, -1)
        while after:
            page, after = await rejects(ingest.ingest_id, _PAGE, after)
            yield "".join(f"{json.dumps(reject.model_dump(), ensure_ascii=False)}\n" for reject in page).encode()

    if (await find(ingest.ingest_id)).rejected:
        await create_blob(settings().papers_container, name, pages())


def rejects_blob(ingest_id: UUID) -> str:
    """The name of the file of rejected records."""
    return f"rejects/{ingest_id}.jsonl"


async def release(ingest_id: UUID) -> None:
    """Let a held file be merged as it is.

    Raises:
        NotFound: there is no such ingest.
        Conflict: it is not held.
    """
    await _move(ingest_id, IngestState.HELD, IngestState.MERGING)


async def discard(ingest_id: UUID) -> None:
    """Give up a held file; nothing of it was published. Raises as `release`."""
    await _move(ingest_id, IngestState.HELD, IngestState.DISCARDED)
    await _clear(ingest_id)


async def end(task: EndIngest) -> None:
    """Note how an ingest ended; one that has ended stays as it is."""
    async with database() as connection:
        await connection.execute(
            "update papers.ingests set state = %s, error = %s, ended_at = now()"
            " where ingest_id = %s and state in ('waiting', 'reading', 'merging')",
            (task.state, task.error, task.ingest_id),
        )
    await _clear(task.ingest_id)


async def _move(ingest_id: UUID, seen: IngestState, to: IngestState) -> None:
    async with database() as connection:
        moved = await connection.execute(
            "update papers.ingests set state = %(to)s, ended_at = case when %(to)s = 'discarded' then now() end"
            " where ingest_id = %(ingest_id)s and state = %(seen)s",
            {"to": to, "ingest_id": ingest_id, "seen": seen},
        )
    if not moved.rowcount:
        raise wrong_state(ingest_id, (await find(ingest_id)).state, seen)


async def _clear(ingest_id: UUID) -> None:
    """Drop what was staged and not merged, and what was unpacked."""
    async with database() as connection:
        await connection.execute("delete from papers.staged where ingest_id = %s", (ingest_id,))
        unpacked = await rows(
            connection,
            "select read_blob from papers.ingests where ingest_id = %s and read_blob <> blob",
            (ingest_id,),
        )
    for row in unpacked:
        await delete_blob(settings().papers_container, row["read_blob"])


_SELECT = """
select i.ingest_id, i.blob, i.source, i.format, i.gzip, i.size, i.state, i.held_because, i.added, i.changed,
    i.unchanged, i.error, i.started_by, i.started_at, i.ended_at, p.parts, p.parts_read, p.records, p.rejected
from papers.ingests i cross join lateral (
    select count(*)::int as parts, count(*) filter (where done)::int as parts_read,
        coalesce(sum(records), 0)::int as records, coalesce(sum(rejected), 0)::int as rejected
    from papers.ingest_parts where ingest_id = i.ingest_id
) p
"""

_NEWEST = """
where %(before)s::uuid is null
    or (i.started_at, i.ingest_id) < (select started_at, ingest_id from papers.ingests where ingest_id = %(before)s)
order by i.started_at desc, i.ingest_id desc limit %(limit)s
"""

_REJECTS = """
select r.part, r.line as line_of_part, r.reason, r.record,
    case when before.done then r.line + before.lines + before.header_lines end as line
from papers.rejects r cross join lateral (
    select coalesce(bool_and(done) filter (where part < r.part), true) as done,
        coalesce(sum(lines) filter (where part < r.part), 0)::bigint as lines,
        coalesce(max(length(header) - length(replace(header, e'\\n', ''))), 0) as header_lines
    from papers.ingest_parts where ingest_id = r.ingest_id
) before
where r.ingest_id = %(ingest_id)s and (r.part, r.line) > (%(part)s, %(line)s)
order by r.part, r.line limit %(limit)s
"""
