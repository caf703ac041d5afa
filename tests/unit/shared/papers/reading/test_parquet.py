"""A row of a Parquet file that Python cannot hold fails alone, and columns that nobody reads harm nothing."""

import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

from shared.papers.reading import parquet
from tests.present import present

NOT_UTF8 = pa.Array.from_buffers(
    pa.string(), 3, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xffc")]
)
A_DAY = 1_600_000_000_000_000_001
"""Nanoseconds since 1970, one too many for Python."""


def written(group=None, **columns):
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, row_group_size=group)
    return io.BufferedReader(io.BytesIO(file.getvalue()))


async def read(file, *columns, start=0, groups=range(1)):
    return [record async for record in parquet.records(file, groups, start, columns)]


async def test_reading_goes_on_at_any_row_of_several_groups():
    for start in range(7):
        file = written(3, id=list(range(12)))
        records = await read(file, "id", start=start, groups=range(1, 3))
        assert [present(record.value)["id"] for record in records] == list(range(3 + start, 9))
        assert [record.after.offset for record in records] == list(range(start + 1, 7))


async def test_a_value_that_is_no_utf8_costs_its_own_row_alone():
    records = await read(written(id=["1", "2", "3"], title=NOT_UTF8), "id", "title")
    assert [record.value for record in records] == [{"id": "1", "title": "a"}, None, {"id": "3", "title": "c"}]
    assert records[1].reason.startswith("its title cannot be read: ")
    assert records[1].beginning == '{"id": "2"}'
    assert [record.after.offset for record in records] == [1, 2, 3]
    assert [record.after.offset for record in await read(written(id=NOT_UTF8), "id", start=1)] == [2, 3]


async def test_a_column_that_is_not_read_harms_nothing():
    file = written(id=["1"], other=pa.array([400_000_000], pa.date32()), lasts=pa.array([1], pa.duration("ns")))
    assert [record.value for record in await read(file, "id")] == [{"id": "1"}]


async def test_a_day_after_the_year_9999_costs_its_own_row_alone():
    days = pa.array([0, 400_000_000], pa.date32())
    good, bad = await read(written(id=["1", "2"], day=days), "id", "day")
    assert present(good.value)["id"] == "1"
    assert bad.value is None


async def test_instants_of_nanoseconds_are_read_to_the_microsecond():
    instants = pa.array([A_DAY, None], pa.timestamp("ns", "UTC"))
    read_at = datetime.fromtimestamp(A_DAY // 10**9, UTC)
    assert [record.value for record in await read(written(at=instants), "at")] == [{"at": read_at}, {"at": None}]
