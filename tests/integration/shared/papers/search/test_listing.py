"""Pages of papers while others write: who is let alone is listed once, wherever the writes fall."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.papers.search import listing
from shared.papers.search.filtering.conditions import Condition
from shared.papers.search.models import Question
from shared.papers.search.search import search as answer
from shared.platform.stores.postgres import database, rows
from tests.integration.shared.papers.conftest import fetch
from tests.present import present

AT_FIRST = 12
DAYS = st.one_of(st.none(), st.integers(1, 5))  # few, so that many papers share one; some have none

ADD = st.tuples(st.just("add"), DAYS)
MOVE = st.tuples(st.just("move"), st.tuples(st.integers(0, AT_FIRST - 1), DAYS))
DELETE = st.tuples(st.just("delete"), st.integers(0, AT_FIRST - 1))


def day(number):
    return None if number is None else date(2021, 1, number)


async def write(connection, number, kind, given_):
    """One write: a paper that comes, one that gets another date, one that goes."""
    if kind == "add":
        await connection.execute(
            "insert into papers.papers (source, source_id, title, primary_date, content_hash)"
            " values ('arxiv', %s, 'T', %s, '')",
            (f"new-{number}", day(given_)),
        )
    elif kind == "move":
        of, to = given_
        await connection.execute(
            "update papers.papers set primary_date = %s where source_id = %s", (day(to), f"old-{of}")
        )
    else:
        await connection.execute("delete from papers.papers where source_id = %s", (f"old-{given_}",))


def touched(writes):
    """The papers of the start that any of the writes changes."""
    of = [given_[0] if kind == "move" else given_ for kind, given_ in writes if kind != "add"]
    return {f"old-{number}" for number in of}


@given(
    days=st.lists(DAYS, min_size=AT_FIRST, max_size=AT_FIRST),
    between=st.lists(st.lists(st.one_of(ADD, MOVE, DELETE), max_size=3), max_size=8),
    limit=st.integers(1, 6),
    sort=st.sampled_from(["newest", "oldest"]),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_who_is_let_alone_is_listed_once(papers, days, between, limit, sort):
    async with database() as connection:
        await connection.execute("delete from papers.papers")
        for number, of in enumerate(days):
            await connection.execute(
                "insert into papers.papers (source, source_id, title, primary_date, content_hash)"
                " values ('arxiv', %s, 'T', %s, '')",
                (f"old-{number}", day(of)),
            )
    names = {
        row["id"]: row["source_id"] for row in await fetch("select paper_id::text as id, source_id from papers.papers")
    }
    listed, after, pages = [], None, iter(between)
    while True:
        page = await answer(Question(limit=limit, sort=sort, after=after))
        assert len(page.results) <= limit
        listed += [present(one.get("doctrove_paper_id")) for one in page.results]
        after = page.next
        if after is None:
            break
        async with database() as connection:
            for number, (kind, given_) in enumerate(next(pages, [])):
                await write(connection, f"{len(listed)}-{number}", kind, given_)
    alone = set(names.values()) - touched([one for some in between for one in some])
    known = [names[paper] for paper in listed if paper in names]
    assert sorted(name for name in known if name in alone) == sorted(alone)
    added = [paper for paper in listed if paper not in names]
    assert len(added) == len(set(added))


@pytest.mark.parametrize("sort", ["newest", "oldest"])
async def test_a_page_costs_a_page_at_any_depth(papers, sort):
    """Of 20,000 papers the index of dates gives those of the page alone: none is sorted, few are read."""
    async with database() as connection:
        await connection.execute(
            "insert into papers.papers (source, source_id, title, primary_date, content_hash)"
            " select 'arxiv', n::text, 'T', case when n % 3 > 0 then date '2000-01-01' + n % 5000 end, ''"
            " from generate_series(1, 20000) n"
        )
        await connection.execute("select papers.refresh_statistics()")
        question = Question(limit=20, sort=sort)
        for part in (listing.dated, listing.undated):
            half = await rows(
                connection,
                "select primary_date, paper_id from papers.papers where (primary_date is null) = %s"
                " order by 1, 2 offset 3000 limit 1",
                (part is listing.undated,),
            )
            for place in (None, listing.Place(half[0]["primary_date"], half[0]["paper_id"])):
                condition = part(Condition(), place, oldest=sort == "oldest")
                [explained] = await rows(
                    connection,
                    f"explain (analyze, buffers, format json) {listing.statement(condition, question)}",
                    {**condition.values, "limit": 21},
                    prepare=False,
                )
                plan = explained["QUERY PLAN"][0]["Plan"]
                assert "Sort" not in str(plan)
                assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 60
