"""Whatever is delivered twice, overtaken or dies on the way: each record is staged and merged once."""

import asyncio
import gzip
import json

import pytest

from shared.papers.ingesting import merging, staging
from shared.papers.ingesting.judging import judge
from shared.papers.ingesting.merging import merge
from shared.papers.ingesting.plan import plan
from shared.papers.models import IngestRef, ReadPart
from shared.platform.errors import Conflict
from shared.platform.stores.postgres import DataRefused
from tests.fresh_settings import forget_settings
from tests.integration.shared.papers.conftest import fetch, record

RECORDS = [record(n, title=f"Paper {n}" if n != 13 else None) for n in range(100)]


class Died(Exception):
    """What a kill is to the code that runs."""


class Clock:
    """Each look takes a second, so that every time box has room for little."""

    now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


@pytest.fixture
async def planned(papers, monkeypatch):
    monkeypatch.setenv("PAPERS_INGEST_SECONDS", "5")
    monkeypatch.setattr(staging, "BATCH_RECORDS", 7)
    monkeypatch.setattr(merging, "BATCH_RECORDS", 9)
    forget_settings()

    async def make(name="a.jsonl", data=RECORDS):
        made = await plan(await papers.start(await papers.put(name, data)))
        return IngestRef(ingest_id=made.ingest_id)

    return make


async def read_all(ingest, boxes=200):
    for _ in range(boxes):
        if (await staging.read_part(ReadPart(ingest_id=ingest.ingest_id, part=0), clock=Clock())).done:
            return
    raise AssertionError("it was not done")


async def counts():
    [found] = await fetch(
        "select (select count(*) from papers.staged) as staged, (select count(*) from papers.rejects) as rejected,"
        " (select records from papers.ingest_parts) as records, (select rejected from papers.ingest_parts) as told"
    )
    return tuple(found.values())


@pytest.mark.parametrize("packed", [False, True])
async def test_time_boxes_go_on_where_the_last_one_ended(planned, packed):
    lines = "".join(f"{json.dumps(one)}\n" for one in RECORDS).encode()
    data = gzip.compress(lines[:5000]) + gzip.compress(lines[5000:]) if packed else RECORDS
    ingest = await planned("a.jsonl.gz" if packed else "a.jsonl", data)
    await read_all(ingest)
    assert await counts() == (99, 1, 99, 1)
    assert await fetch("select line from papers.rejects") == [{"line": 14}]


async def test_a_long_way_to_the_mark_of_a_packed_file_leaves_each_box_its_time(planned, monkeypatch):
    lines = "".join(f"{json.dumps(one)}\n" for one in RECORDS).encode()
    ingest = await planned("a.jsonl.gz", gzip.compress(lines))
    clock, unpacked = Clock(), staging.unpacked

    async def far(chunks, mark):
        clock.now += mark.offset / 100  # up to minutes, where a box has five seconds
        async for line in unpacked(chunks, mark):
            yield line

    monkeypatch.setattr(staging, "unpacked", far)
    boxes = 0
    while not (await staging.read_part(ReadPart(ingest_id=ingest.ingest_id, part=0), clock=clock)).done:
        boxes += 1
    assert boxes < 10
    assert await counts() == (99, 1, 99, 1)


@pytest.mark.parametrize("at", range(1, 8))
async def test_a_kill_within_a_transaction_loses_and_doubles_nothing(planned, monkeypatch, at):
    ingest = await planned()
    copied, calls = staging._copy, 0

    async def dying(*arguments):
        nonlocal calls
        calls += 1
        if calls == at:
            raise Died
        await copied(*arguments)

    monkeypatch.setattr(staging, "_copy", dying)
    with pytest.raises(Died):
        await read_all(ingest)
    assert (await counts())[2] < 99
    await read_all(ingest)
    assert await counts() == (99, 1, 99, 1)


async def test_a_part_delivered_to_many_at_once_is_staged_once(planned):
    ingest = await planned()
    task = ReadPart(ingest_id=ingest.ingest_id, part=0)
    await asyncio.gather(*(staging.read_part(task) for _ in range(6)))
    await read_all(ingest)
    assert await counts() == (99, 1, 99, 1)


async def test_merging_goes_on_after_a_kill_and_counts_right(planned, monkeypatch):
    ingest = await planned()
    await read_all(ingest)
    await judge(ingest)
    checked, calls = merging._check, 0

    async def dying(*arguments):
        nonlocal calls
        calls += 1
        await checked(*arguments)
        if calls % 3 == 0:
            raise Died

    monkeypatch.setattr(merging, "_check", dying)
    done, deaths = False, 0
    while not done:
        try:
            done = (await merge(ingest, clock=Clock())).done
        except Died:
            deaths += 1
    assert deaths > 2
    [row] = await fetch("select added, changed, unchanged from papers.ingests")
    assert tuple(row.values()) == (99, 0, 0)
    assert await fetch("select count(*) as n from papers.papers") == [{"n": 99}]


async def test_a_record_that_the_database_refuses_is_rejected_alone(planned, monkeypatch):
    ingest = await planned()
    await read_all(ingest)
    await judge(ingest)
    fetched = merging.rows

    async def refusing(connection, query, parameters, **options):
        if query == merging._MERGE:
            bad = await fetched(
                connection,
                "select 1 from (select source_id from papers.staged order by part, line limit %s) n"
                " where source_id = '2101.00050'",
                (parameters["size"],),
            )
            if bad:
                raise DataRefused("index row size 2712 exceeds maximum")
        return await fetched(connection, query, parameters, **options)

    monkeypatch.setattr(merging, "rows", refusing)
    done = False
    while not done:
        done = (await merge(ingest)).done
    assert await fetch("select count(*) as n from papers.papers") == [{"n": 98}]
    told = await fetch("select line, reason from papers.rejects order by line")
    assert told == [
        {"line": 14, "reason": "it has no title"},
        {"line": 51, "reason": "index row size 2712 exceeds maximum"},
    ]


async def test_nothing_is_read_or_merged_of_an_ingest_that_ended(planned):
    ingest = await planned()
    with pytest.raises(Conflict, match="is reading, not merging"):
        await merge(ingest)
    with pytest.raises(Conflict, match="not read"):
        await judge(ingest)
    await read_all(ingest)
    await judge(ingest)
    while not (await merge(ingest)).done:
        pass
    assert (await staging.read_part(ReadPart(ingest_id=ingest.ingest_id, part=0))).done
