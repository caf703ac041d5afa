"""Files of every kind become papers, each once, and what cannot be read is told with line and reason."""

import csv
import gzip
import io
import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestrators.papers.ingesting import paper_ingest
from shared.papers.ingesting import files, inbox, ingests, merging
from shared.papers.ingesting.plan import _runs, plan
from shared.papers.models import IngestRef
from shared.papers.sources.table import ColumnMapping
from shared.platform.errors import Conflict, InvalidInput, TerminalError
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from tests.integration.shared.papers.conftest import fetch, record

EXAMPLES = Path(__file__).parents[5] / "examples/papers"
MAPPING = ColumnMapping(source_id="key", title="name", abstract="text", authors="who", primary_date="day")


def table(rows):
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["key", "name", "text", "who", "day"])
    writer.writerows(rows)
    return out.getvalue().encode()


def parquet(rows, group=10):
    out = io.BytesIO()
    columns = dict(zip(["key", "name", "text", "who", "day"], zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), out, row_group_size=group)
    return out.getvalue()


ROWS = [(f"k{n}", f"Paper {n}", f"Line one\nline two of {n}", "Ann A; Bob B", "2020-02-03") for n in range(35)]


async def test_the_real_records_come_in_and_a_second_time_change_nothing(papers):
    snapshot = await papers.put("inbox/arxiv/a.jsonl", (EXAMPLES / "arxiv-snapshot.jsonl").read_bytes())
    listing = await papers.put("inbox/arxiv-listing/b.jsonl.gz", (EXAMPLES / "arxiv-listing.jsonl.gz").read_bytes())
    first = await papers.ingest(snapshot)
    second = await papers.ingest(listing, "arxiv-listing")
    assert (first.state, first.added, first.rejected) == ("completed", 200, 0)
    assert (second.state, second.added, second.rejected) == ("completed", 1000, 0)
    before = await fetch("select paper_id, updated_at from papers.papers order by 1")
    await papers.put("copy.jsonl", (EXAMPLES / "arxiv-snapshot.jsonl").read_bytes())
    again = await papers.ingest("copy.jsonl")
    assert (again.added, again.changed, again.unchanged) == (0, 0, 200)
    assert await fetch("select paper_id, updated_at from papers.papers order by 1") == before
    summary = await Player().play(paper_ingest, await papers.start(snapshot))
    assert summary.ended_before
    assert await fetch("select count(*) as n from papers.staged") == [{"n": 0}]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", table(ROWS)),
        ("a.csv.gz", gzip.compress(table(ROWS)[:100]) + gzip.compress(table(ROWS)[100:])),
        ("a.parquet", parquet(ROWS)),
        ("a.parquet.gz", gzip.compress(parquet(ROWS))),
        (
            "a.jsonl",
            "".join(
                json.dumps(dict(zip(["key", "name", "text", "who", "day"], r, strict=True))) + "\n" for r in ROWS
            ).encode(),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_every_kind_of_file_gives_the_same_papers(papers, name, data):
    done = await papers.ingest(await papers.put(name, data), "mine", MAPPING)
    assert (done.state, done.added, done.rejected) == ("completed", 35, 0)
    [one] = await fetch(
        "select title, abstract, authors, primary_date::text as day from papers.papers where source_id = 'k7'"
    )
    assert one == {
        "title": "Paper 7",
        "abstract": "Line one line two of 7",
        "authors": ["Ann A", "Bob B"],
        "day": "2020-02-03",
    }
    assert not [blob for blob in await papers.names() if blob.startswith("work/")]


@pytest.mark.parametrize("size", [1, 2, 3])
async def test_a_file_cut_into_parts_has_every_record_once(papers, monkeypatch, size):
    """Parts of some megabytes, whose records are as long as a third of them."""
    records = [record(n, abstract=f"{n} " + "word " * 9_000) for n in range(1, 200)]
    monkeypatch.setenv("PAPERS_PART_MB", str(size))
    forget_settings()
    done = await papers.ingest(await papers.put("a.jsonl", records))
    assert done.parts > 8 // size - 1
    assert (done.state, done.added) == ("completed", 199)
    assert sorted(await papers.titles()) == [one["id"] for one in records]


async def test_a_bad_record_is_told_with_its_line_and_the_rest_lands(papers, monkeypatch):
    monkeypatch.setenv("PAPERS_PART_MB", "1")
    forget_settings()
    good = [json.dumps(record(n, abstract="x " * 20_000)) for n in range(1, 60)]
    good[10] = json.dumps(record(11, title=None))
    good[40] = "{ not json"
    done = await papers.ingest(await papers.put("a.jsonl", "\n".join(good).encode()))
    assert done.parts > 1
    assert (done.state, done.added, done.rejected) == ("completed", 57, 2)
    found, following = await ingests.rejects(done.ingest_id, 50, (-1, -1))
    assert [(one.line, one.reason.split(":")[0]) for one in found] == [
        (11, "it has no title"),
        (41, "this is no JSON in UTF-8"),
    ]
    assert following is None
    written = (await papers.read(ingests.rejects_blob(done.ingest_id))).decode().splitlines()
    assert [json.loads(line)["line"] for line in written] == [11, 41]


async def test_lines_of_a_csv_file_count_its_header(papers):
    rows = [("k1", "Paper 1", "two\nlines", "", ""), ("k2", "", "no title", "", ""), *ROWS]
    done = await papers.ingest(await papers.put("a.csv", table(rows)), "mine", MAPPING)
    [one], _ = await ingests.rejects(done.ingest_id, 5, (-1, -1))
    assert (one.line, one.reason) == (4, "it has no title")


async def test_of_two_records_the_newer_counts_by_its_own_date(papers):
    old, new = record(1, title="Old", update_date="2021-01-02"), record(1, title="New", update_date="2022-01-02")
    assert (await papers.ingest(await papers.put("a.jsonl", [new, old]))).added == 1
    assert await papers.titles() == {"2101.00001": "New"}
    late = await papers.ingest(await papers.put("b.jsonl", [old]))
    assert (late.changed, late.unchanged) == (0, 1)
    assert await papers.titles() == {"2101.00001": "New"}
    newest = await papers.ingest(await papers.put("c.jsonl", [record(1, title="Newest", update_date="2023-01-02")]))
    assert newest.changed == 1
    assert await papers.titles() == {"2101.00001": "Newest"}


async def test_a_file_that_would_spoil_the_papers_is_held_until_a_person_says(papers, mails):
    records = [record(n, title=None if n % 10 < 3 else f"Paper {n}") for n in range(100)]
    held = await papers.ingest(await papers.put("a.jsonl", records))
    assert held.state == "held"
    assert held.held_because == ["30 of 100 records could not be read, more than 10%"]
    assert await papers.titles() == {}
    [mail] = mails.mails(9)
    assert "30 of 100 records could not be read" in str(mail)
    await ingests.release(held.ingest_id)
    with pytest.raises(Conflict, match="is merging, not held"):
        await ingests.release(held.ingest_id)
    summary = await Player().play(paper_ingest, IngestRef(ingest_id=held.ingest_id))
    assert summary.added == 70
    assert (await ingests.find(held.ingest_id)).state == "completed"


@pytest.mark.parametrize("dated", [{}, {"update_date": "2024-05-06"}])
async def test_two_records_of_one_paper_far_apart_change_nothing_the_second_time(papers, monkeypatch, dated):
    monkeypatch.setattr(merging, "BATCH_RECORDS", 3)
    undated = {"versions": None, "update_date": None}
    first, second = (record(1, title=title, **(undated | dated)) for title in ("First", "Second"))
    records = [first, *(record(n) for n in range(2, 12)), second]
    taken = await papers.ingest(await papers.put("a.jsonl", records))
    assert (taken.added, taken.changed, taken.unchanged) == (11, 0, 1)
    again = await papers.ingest(await papers.put("b.jsonl", records))
    assert (again.added, again.changed, again.unchanged) == (0, 0, 12)
    assert "Second" in (await papers.titles()).values()


async def test_a_discarded_file_leaves_nothing_and_may_come_again(papers, mails):
    records = [record(n, title=None) for n in range(5)] + [record(n) for n in range(5, 9)]
    held = await papers.ingest(await papers.put("a.jsonl", records))
    await ingests.discard(held.ingest_id)
    assert (await ingests.find(held.ingest_id)).state == "discarded"
    assert await fetch("select count(*) as n from papers.staged") == [{"n": 0}]
    assert (await papers.ingest("a.jsonl")).state == "held"


async def test_known_papers_do_not_lose_their_abstracts_to_a_poor_file(papers, mails):
    await papers.ingest(await papers.put("a.jsonl", [record(n) for n in range(40)]))
    poor = [record(n, abstract=None, update_date="2025-01-01") for n in range(40)]
    held = await papers.ingest(await papers.put("b.jsonl", poor))
    assert held.held_because == ["40 of 40 known papers would lose their abstract, more than 10%"]


async def test_known_papers_do_not_lose_their_authors_dates_and_dois_to_a_poor_file(papers, mails):
    header, mapping = (
        "key,name,who,day,doi\n",
        ColumnMapping(source_id="key", title="name", authors="who", primary_date="day", doi="doi"),
    )
    rich = "".join(f"{n},Paper {n},A. Author,2020-01-02,10.1000/{n}\n" for n in range(40))
    await papers.ingest(await papers.put("a.csv", (header + rich).encode()), "own", mapping)
    poor = "".join(f"{n},Paper {n},,,\n" for n in range(40))
    held = await papers.ingest(await papers.put("b.csv", (header + poor).encode()), "own")
    assert held.held_because == [
        f"40 of 40 known papers would lose their {what}, more than 10%"
        for what in ("authors", "date", "DOI or arXiv id")
    ]


async def test_small_row_groups_of_a_parquet_file_are_read_together(papers, monkeypatch):
    rows = [(str(n), f"Paper {n}", "T", "A", "2020") for n in range(300)]
    start = await papers.start(await papers.put("a.parquet", parquet(rows, group=1)), "own", MAPPING)
    assert (await plan(start)).parts == 1
    assert (await papers.ingest("a.parquet", "own", MAPPING)).added == 300


@pytest.mark.parametrize(
    ("sizes", "parts"),
    [
        ([], []),
        ([5], [(0, 1)]),
        ([400_000] * 6, [(0, 3), (3, 5), (5, 6)]),
        ([3_000_000, 10, 10, 3_000_000], [(0, 1), (1, 4)]),
    ],
)
def test_row_groups_are_parted_by_their_bytes(monkeypatch, sizes, parts):
    monkeypatch.setenv("PAPERS_PART_MB", "1")
    forget_settings()
    assert [(part.begins, part.ends) for part in _runs(sizes)] == parts


def test_there_are_never_more_than_so_many_parts():
    assert len(_runs([32_000_001] * 2_500)) <= 1_000


async def test_a_source_that_is_known_takes_no_mapping(papers):
    name = await papers.put("a.jsonl", [record(1)])
    with pytest.raises(InvalidInput, match="its own adapter") as refused:
        await papers.start(name, "arxiv", ColumnMapping(source_id="id", title="title"))
    assert refused.value.field == "mapping"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.txt", b"x", "unknown-format"),
        ("a.jsonl", b"\xff\xfe{\x00", "encoding"),
        ("a.csv", "id,title\n1,a\n".encode("utf-16-le"), "encoding"),
        ("a.csv.gz", gzip.compress("id,title\n1,a\n".encode("utf-16"), mtime=0), "encoding"),
        ("a.csv", b"id,title\r1,a\r2,b\r", "line-ends"),
        ("a.csv", b"id,name\n1,a\n", "'title'; it has 'id', 'name'. (no-column)"),
        ("a.csv", b"id,title,title\n1,a,b\n", "column-twice"),
        ("a.parquet", parquet(ROWS), "no-column"),
        ("a.csv", b"", "no-header"),
        ("a.csv", b"only one column\n1\n", "no-header"),
        ("a.parquet", b"PAR1 and no more", "file-damaged"),
        ("a.jsonl.gz", gzip.compress(b'{"id": 1}\n' * 100)[:-10], "file-damaged"),
    ],
    # Packed bytes hold the time, and all workers of a run must know a test by the same name.
    ids=[
        "format",
        "encoding",
        "no mark",
        "packed",
        "CR",
        "no column",
        "twice",
        "no column in Parquet",
        "empty",
        "one column",
        "parquet",
        "gzip",
    ],
)
async def test_a_file_that_cannot_be_read_fails_once_with_its_reason(papers, mails, name, data, code):
    failed = await papers.ingest(await papers.put(f"inbox/arxiv/{name}", data))
    assert failed.state == "failed"
    assert code in failed.error
    [mail] = mails.mails(9)
    assert mail.subject.strip() == f"[Manifold] papers: the file inbox/arxiv/{name} could not be taken in"
    assert code in mail.text
    assert await papers.titles() == {}
    assert not await inbox.anything_new()
    assert await inbox.unfinished() == []


async def test_a_file_is_taken_up_to_its_limit_and_refused_from_the_next_byte_on(papers, monkeypatch):
    """By the size that the storage names, so that five gigabytes need not be there."""
    blob = await papers.put("inbox/arxiv/a.jsonl", [record(1)])
    actual = files.look

    async def of_size(size):
        async def look(container, name):
            return replace(await actual(container, name), size=size)

        monkeypatch.setattr(files, "look", look)
        return await plan(await papers.start(blob))

    assert (await of_size(5_000_000_000)).parts == 157
    await fetch("delete from papers.ingests returning 1")
    with pytest.raises(InvalidInput, match=r"has 5,000,000,001 bytes; at most 5 GB are taken") as refused:
        await of_size(5_000_000_001)
    assert refused.value.code == "file-too-large"


async def test_what_lies_in_the_inbox_is_found_once(papers):
    await papers.put("inbox/arxiv/a.jsonl", [record(1)])
    await papers.put("elsewhere.jsonl", [record(2)])
    assert await inbox.anything_new()
    await inbox.accept_new()
    assert not await inbox.anything_new()
    await inbox.accept_new()
    [found] = await inbox.unfinished()
    waiting = await ingests.find(found.ingest_id)
    assert (waiting.blob, waiting.source, waiting.state) == ("inbox/arxiv/a.jsonl", "arxiv", "waiting")
    await Player().play(paper_ingest, found)
    await papers.put("inbox/arxiv/a.jsonl", [record(1), record(2)])
    assert await inbox.anything_new()
    await inbox.accept_new()
    [newer] = await inbox.unfinished()
    assert newer.ingest_id != found.ingest_id


async def test_a_file_that_is_replaced_while_it_waits_is_not_mixed_up(papers):
    await papers.put("a.jsonl", [record(1)])
    start = await papers.start("a.jsonl")
    await papers.put("a.jsonl", [record(2)])
    with pytest.raises(TerminalError, match="was replaced"):
        await Player().play(paper_ingest, start)
    assert await papers.titles() == {}
