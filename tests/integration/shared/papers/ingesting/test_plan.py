"""What is to be read of a file: the parts that it is cut into."""

from dataclasses import replace

import pytest

from shared.papers.ingesting import files
from shared.papers.ingesting.plan import _runs, plan
from shared.platform.errors import InvalidInput
from tests.fresh_settings import forget_settings
from tests.integration.shared.papers.conftest import fetch, record
from tests.integration.shared.papers.ingesting.conftest import MAPPING, parquet


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
