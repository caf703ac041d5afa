"""The rows of a table come back chunk by chunk, and once."""

import pytest

from orchestrators.backups.backing_up import back_up
from shared.backups.blobs.manifests import read_manifest
from shared.backups.contents import chunks
from shared.backups.models import TakeAndVerify
from shared.backups.restoring import loading, preparing
from shared.platform.errors import TerminalError
from shared.platform.stores.postgres import connection_to
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import PAPERS, of, restore


async def test_a_restore_that_was_broken_off_goes_on_at_the_chunk_it_was_at(filled, migrated, empty, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 32 * 8_192)
    await Player().play(back_up, TakeAndVerify(id="20261101T000100Z", chain="20261101T000000Z"))
    backup = await read_manifest()
    async with connection_to(empty) as connection:
        plan = await preparing.prepare(connection, backup)
    assert len(plan.late) == 1
    real, brought = chunks.import_chunk, []

    async def broken(connection, table, chunk):
        await real(connection, table, chunk)
        if len(brought) == 2:
            raise ConnectionResetError
        brought.append(chunk.rows)

    monkeypatch.setattr(loading, "import_chunk", broken)
    with pytest.raises(ConnectionResetError):
        async with connection_to(empty) as connection:
            await loading.load(connection, backup, "papers.papers")
    assert (await of(empty, "select count(*) from papers.papers"))[0]["count"] == sum(brought) > 0
    done = restore(migrated, empty)
    assert (done.returncode, done.stderr) == (0, "")
    assert (await of(empty, "select count(*) from papers.papers"))[0]["count"] == PAPERS


async def test_each_time_box_loads_one_chunk_at_least(filled, empty, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 32 * 8_192)
    await Player().play(back_up, TakeAndVerify(id="20261101T000100Z", chain="20261101T000000Z"))
    backup = await read_manifest()
    [papers] = [one for one in backup.tables if one.full_name == "papers.papers"]
    async with connection_to(empty) as connection:
        await preparing.prepare(connection, backup)
    boxes = 0
    while boxes < 50:
        boxes += 1
        async with connection_to(empty) as connection:
            if (await loading.load(connection, backup, "papers.papers", deadline=float("-inf"))).done:
                break
    assert boxes == len(papers.chunks) > 3
    assert (await of(empty, "select count(*) from papers.papers"))[0]["count"] == PAPERS


@pytest.mark.parametrize("name", ["papers.papers", "papers.vectors_1"])
async def test_a_chunk_of_fewer_rows_than_its_backup_says_is_refused(backup, empty, name):
    [one] = [one for one in backup.tables if one.full_name == name]
    chunk = one.chunks[0].model_copy(update={"rows": one.chunks[0].rows + 3})
    changed = one.model_copy(update={"chunks": [chunk, *one.chunks[1:]]})
    lying = backup.model_copy(update={"tables": [changed if one.full_name == name else one for one in backup.tables]})
    async with connection_to(empty) as connection:
        await preparing.prepare(connection, lying)
    with pytest.raises(TerminalError, match=f"it holds {chunk.rows - 3:,} rows instead of {chunk.rows:,}") as refused:
        async with connection_to(empty) as connection:
            await loading.load(connection, lying, name)
    assert refused.value.code == "backup-corrupt"
    assert await of(empty, f"select count(*) from {name}") == [{"count": 0}]
