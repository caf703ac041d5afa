"""Whether what a file holds may be merged: a file that would spoil the table waits for a person."""

from __future__ import annotations

from shared.papers.ingesting.errors import ingest_ended, unknown_ingest
from shared.papers.ingesting.verdict import Figures, reasons
from shared.papers.models import IngestRef, IngestState, Verdict
from shared.papers.settings import settings
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import database, rows


async def judge(ingest: IngestRef) -> Verdict:
    """Judge a file that was read to its end, and let it be merged or hold it; repeated, it gives what was decided.

    Raises:
        NotFound: there is no such ingest.
        Conflict: a part of it was not read to its end, or it ended.
    """
    async with database() as connection:
        ingests = await rows(
            connection,
            "select state, held_because from papers.ingests where ingest_id = %s for update",
            (ingest.ingest_id,),
        )
        if not ingests:
            raise unknown_ingest(ingest.ingest_id)
        state, held = IngestState(ingests[0]["state"]), ingests[0]["held_because"]
        if state is IngestState.READING:
            await connection.execute(_DROP_OUTDATED, {"ingest_id": ingest.ingest_id}, prepare=False)
        [row] = await rows(connection, _FIGURES, {"ingest_id": ingest.ingest_id}, prepare=False)
        unread = row.pop("unread")
        figures = Figures(**row)
        if state is IngestState.READING:
            if unread:
                raise Conflict(
                    f"{unread} parts of the ingest {ingest.ingest_id} are not read to their end.",
                    code="ingest-unread",
                    remedy="Read them first: an ingest is judged by all of its records.",
                )
            held = reasons(figures, settings())
            await connection.execute(
                "update papers.ingests set state = %s, held_because = %s where ingest_id = %s",
                (IngestState.HELD if held else IngestState.MERGING, held, ingest.ingest_id),
            )
        elif state is IngestState.MERGING:
            held = []  # a person has released it
        elif state is not IngestState.HELD:
            raise ingest_ended(ingest.ingest_id, state, IngestState.READING)
    return Verdict(records=figures.records, rejected=figures.rejected, held_because=held)


# Of the records of one paper the newest counts, and of several with one date, or none, the last in the file: each file
# says one thing of a paper, so that it changes nothing when it comes again.
# One sort and rows by their place: whatever the planner believes of a table that is filled and emptied all day, no join
# can make it quadratic.
_DROP_OUTDATED = """
with ranked as (
    select ctid as at, row_number() over (
        partition by source_id order by version_at desc nulls last, part desc, line desc
    ) as place
    from papers.staged where ingest_id = %(ingest_id)s
), dropped as (
    delete from papers.staged where ctid = any(array(select at from ranked where place > 1)) returning 1
)
update papers.ingests set unchanged = unchanged + (select count(*) from dropped) where ingest_id = %(ingest_id)s
"""

_FIGURES = """
with met as (
    select p.abstract is not null and s.abstract is null as losing_abstract,
        p.authors <> '{}' and s.authors = '{}' as losing_authors,
        p.primary_date is not null and s.primary_date is null as losing_date,
        p.doi is not null and s.doi is null or p.arxiv_id is not null and s.arxiv_id is null as losing_name,
        lower(p.title) <> lower(s.title) as renamed
    from papers.staged s
    join papers.ingests i using (ingest_id)
    join papers.papers p on p.source = i.source and p.source_id = s.source_id
    where s.ingest_id = %(ingest_id)s
        and coalesce(s.version_at, '-infinity') >= coalesce(p.version_at, '-infinity')
)
select coalesce(sum(records), 0)::int as records, coalesce(sum(rejected), 0)::int as rejected,
    count(*) filter (where not done)::int as unread,
    (select count(*) from met)::int as known,
    (select count(*) from met where losing_abstract)::int as losing_abstract,
    (select count(*) from met where losing_authors)::int as losing_authors,
    (select count(*) from met where losing_date)::int as losing_date,
    (select count(*) from met where losing_name)::int as losing_name,
    (select count(*) from met where renamed)::int as renamed
from papers.ingest_parts where ingest_id = %(ingest_id)s
"""
