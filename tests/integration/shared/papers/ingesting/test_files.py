"""Files of every kind, and those that cannot be read."""

import gzip
import json

import pytest

from orchestrators.papers.ingesting import paper_ingest
from shared.papers.ingesting import inbox
from shared.platform.errors import TerminalError
from tests.integration.player import Player
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.ingesting.conftest import MAPPING, ROWS, parquet, table


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


async def test_a_file_that_is_replaced_while_it_waits_is_not_mixed_up(papers):
    await papers.put("a.jsonl", [record(1)])
    start = await papers.start("a.jsonl")
    await papers.put("a.jsonl", [record(2)])
    with pytest.raises(TerminalError, match="was replaced"):
        await Player().play(paper_ingest, start)
    assert await papers.titles() == {}
