"""A file of JSON lines: every cut gives the same records, and a bad line fails alone."""

import asyncio
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.papers.reading import jsonl, lines
from shared.papers.reading.lines import plain, unpacked
from shared.papers.reading.marks import LONGEST_RECORD, Mark
from shared.platform.errors import InvalidInput


async def chunks(data, size):
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


async def read(data, size=7, packed=False):
    return [one async for one in jsonl.records((unpacked if packed else plain)(chunks(data, size), Mark(0, 0)))]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1]", "no object"),
        (b"{", "no JSON"),
        (b'{"a": "\xff"}', "no JSON in UTF-8"),
        (b'{"a": "\\ud800"}', "no JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", "no JSON"),
        (b'{"a": "' + b"x" * LONGEST_RECORD + b'"}', "more than"),
    ],
)
async def test_a_bad_line_fails_alone(line, reason):
    records = await read(b'\xef\xbb\xbf{"id": 1}\n' + line + b'\n\n{"id": 2}', size=1 << 16)
    assert [one.value for one in records if one and one.value] == [{"id": 1}, {"id": 2}]
    assert reason in next(one.reason for one in records if one and one.value is None)
    assert records.count(None) == 1


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
