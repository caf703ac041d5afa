"""Files of every kind become papers, each once, and what cannot be read is told with line and reason."""

import json
from pathlib import Path

import pytest

from orchestrators.papers.ingesting import paper_ingest
from shared.papers.ingesting import ingests, merging
from shared.papers.models import IngestRef
from shared.platform.errors import Conflict
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.ingesting.conftest import MAPPING, ROWS, table

EXAMPLES = Path(__file__).parents[5] / "examples/papers"


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
