"""What a fold hands on takes little memory, however much it is."""

import asyncio
import secrets
from datetime import UTC, datetime

import pytest

from shared.authcache.base.format.arrow import schema_of
from shared.authcache.base.format.pyarrow import pa, parquet
from shared.authcache.base.manifest import Counts, Manifest, TablePart, write_manifest
from shared.authcache.base.uploading import upload
from shared.authcache.base.writing import segment_of
from shared.authcache.folding.exporting import append_table, look_at_table
from shared.authcache.folding.steps import TableTask
from shared.authcache.tables import SHARES

ROWS, PIECE = 1_600_000, 100_000
APPEND_MEGABYTES = 270
"""That Arrow may hold during an append however many rows it has: 220 measured; all of these at once take 380."""


def shares():
    numbers = range(PIECE)
    emails = pa.array([f"somebody-with-a-long-name-{one}@example.com" for one in numbers])
    columns = {
        "id": pa.array([f"{one:032x}" for one in numbers]),
        "owner": pa.array([f"{one // 5:032x}" for one in numbers]),
        "shared_email": emails,
        "viewer": emails,
        "level": pa.array(["read"] * PIECE),
        "created_at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * PIECE, pa.timestamp("us", "UTC")),
        "updated_at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * PIECE, pa.timestamp("us", "UTC")),
        "_lsn": pa.array([1] * PIECE, pa.int64()),
        "_dropped": pa.array([False] * PIECE),
    }
    schema = schema_of(SHARES)
    return pa.table([columns.get(one.name, pa.nulls(PIECE, one.type)) for one in schema], schema=schema)


@pytest.fixture
async def large(container, tmp_path):
    """A base of many shares that the catalog knows nothing of, as after the loss of its disk."""

    def written():
        folder = tmp_path / "large"
        folder.mkdir()
        with parquet.ParquetWriter(folder / "shares.parquet", schema_of(SHARES), compression="zstd") as writer:
            piece = shares()
            for _ in range(ROWS // PIECE):
                writer.write_table(piece)
        return segment_of(folder, 0, 1, {"shares": TablePart(rows=ROWS, dropped=0)}), folder

    segment, folder = await asyncio.to_thread(written)
    await upload(segment, folder)
    none = Counts()
    made = Manifest(
        lsn=1, hash_key=secrets.token_hex(16), segments=(segment,), counts=none, whole=none, folded_at=datetime.now(UTC)
    )
    await write_manifest(made, seen=None)


async def test_a_table_whose_mark_is_lost_is_appended_to_in_little_memory(large):
    await look_at_table(TableTask(table="shares", lsn=1))  # what loads for it is loaded
    pool = pa.default_memory_pool()
    counted = pa.proxy_memory_pool(pool)  # what Arrow holds: the process keeps what it has held before
    pa.set_memory_pool(counted)
    try:
        done = await append_table(TableTask(table="shares", lsn=1))
    finally:
        pa.set_memory_pool(pool)
    took = counted.max_memory() >> 20
    assert (done.lsn, done.rows) == (1, ROWS)
    found = await look_at_table(TableTask(table="shares", lsn=1))
    assert (found.lsn, found.foreign) == (1, 0)
    assert took < APPEND_MEGABYTES
