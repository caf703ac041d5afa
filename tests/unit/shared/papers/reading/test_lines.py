"""Lines of a file, packed or not: members, damage, limits."""

import asyncio
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.papers.reading import jsonl, lines
from shared.papers.reading.lines import plain, unpacked
from shared.papers.reading.marks import Mark
from shared.platform.errors import InvalidInput
from tests.unit.shared.papers.reading.conftest import chunks, read


@given(st.lists(st.integers(0, 50), max_size=6), st.integers(1, 30))
async def test_all_members_of_a_gzip_file_are_read(sizes, size):
    rows = [b'{"n": %d}\n' % n for n in sizes]
    packed = b"".join(gzip.compress(row[:4]) + gzip.compress(row[4:]) for row in rows) + b"\0" * 5
    assert [one and one.value and one.value["n"] for one in await read(packed, size, packed=True)] == sizes


async def test_what_stands_before_the_damage_is_read():
    packed = gzip.compress(b'{"n": 1}\n' * 1000)
    seen = []

    async def look():
        async for one in jsonl.records(unpacked(chunks(packed[:-9], 16), Mark(0, 0))):
            seen.append(one)  # noqa: PERF401 - what was seen before the error counts

    with pytest.raises(InvalidInput, match="damaged at byte"):
        await look()
    assert len(seen) > 900
    with pytest.raises(InvalidInput, match="damaged"):
        await read(b"no gzip at all", packed=True)


async def test_a_member_that_grows_without_end_is_refused(monkeypatch):
    monkeypatch.setattr(lines, "MOST_UNPACKED", 5_000)
    assert len(await read(gzip.compress(b"{}\n" * 1_000) * 2, packed=True)) == 2_000
    with pytest.raises(InvalidInput, match="once it is unpacked"):
        await read(gzip.compress(b"{}\n" * 2_000), packed=True)


@pytest.mark.parametrize(
    "data", [gzip.compress(b" " * 60_000_000), b"\n" * 200_000], ids=["a packed file of blanks", "empty lines"]
)
async def test_others_on_the_event_loop_have_their_turn_meanwhile(data):
    turns = 0

    async def others():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(others())
    async for _ in (unpacked if data[:1] == b"\x1f" else plain)(chunks(data, len(data)), Mark(0, 0)):
        pass
    beside.cancel()
    assert turns > 50
