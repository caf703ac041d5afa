"""A restore into a new database: in its order, refused where it must be, gone on with after a kill."""

from unittest.mock import Mock

import pytest
from psycopg import conninfo

from orchestrators.backups.backing_up import back_up
from shared.backups.blobs import carrying
from shared.backups.blobs.manifests import read_manifest
from shared.backups.contents import chunks
from shared.backups.models import TakeAndVerify
from shared.backups.restoring import building, loading, preparing, restoration
from shared.backups.settings import settings
from shared.platform.errors import Conflict, TerminalError
from shared.platform.stores.blob_files import create_blob
from shared.platform.stores.blobs import blob_service, read_blob
from shared.platform.stores.postgres import close_pools, connection_to, rows
from tests.fresh_settings import forget_settings
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import PAPERS, restore
from tests.present import present


@pytest.fixture
async def backup(filled):
    """A backup of the filled database."""
    await Player().play(back_up, TakeAndVerify(id="20261101T000100Z", chain="20261101T000000Z"))
    return await read_manifest()


async def of(name, query):
    async with connection_to(name) as connection:
        return await rows(connection, query)


DEFINED = """
select pg_get_indexdef(indexrelid) as statement from pg_index x join pg_class c on c.oid = x.indexrelid
join pg_namespace n on n.oid = c.relnamespace where not starts_with(n.nspname, 'pg_')
union all select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(k.oid) from pg_constraint k
join pg_namespace n on n.oid = k.connamespace
where not starts_with(n.nspname, 'pg_') and n.nspname <> 'information_schema'
union all select tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text from pg_trigger where not tgisinternal
union all select a.attrelid::regclass || ' ' || attname || ' ' || format_type(atttypid, atttypmod) || attnotnull::text
from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and attnum > 0 and not attisdropped and not starts_with(n.nspname, 'pg_')
and n.nspname <> 'information_schema'
order by 1
"""


async def test_the_command_restores_everything_in_its_order(backup, migrated, empty):
    done = restore(migrated, empty)
    assert (done.returncode, done.stderr) == (0, "")
    steps = [line.split(" s  ")[1] for line in done.stdout.splitlines() if " s  " in line]
    assert steps == [
        "schema",
        "metadata, text and map",
        "their keys and indexes",
        "sequences, triggers, statistics",
        "check of every row: the app can serve",
        "vectors: filtered search by meaning, exactly",
        "index of the vectors",
        "check of the vectors",
    ]
    assert f"All {len(backup.tables)} tables hold what the backup says." in done.stdout
    async with connection_to(str(conninfo.conninfo_to_dict(migrated)["dbname"])) as connection:
        before = await rows(connection, DEFINED)
    assert await of(empty, DEFINED) == before
    async with connection_to(empty) as connection:  # what comes next gets a number of its own
        await connection.execute(
            "insert into papers.models (name, version, dimensions, state) values ('next', '1', 8, 'building')"
        )
        assert await rows(connection, "select model_id from papers.models order by 1") == [
            {"model_id": 1},
            {"model_id": 2},
        ]


async def test_a_database_with_tables_is_left_alone(backup, migrated):
    done = restore(migrated, conninfo.conninfo_to_dict(migrated)["dbname"])
    assert done.returncode == 1
    assert "A backup is restored into an empty one alone" in done.stderr
    assert "POSTGRES_DSN" in done.stderr


async def test_an_unknown_backup_is_named(backup, migrated, empty):
    done = restore(migrated, empty, "20200101T000000Z")
    assert (done.returncode, "There is no backup '20200101T000000Z'" in done.stderr) == (1, True)


async def test_a_backup_of_a_schema_that_is_not_known_is_refused(backup, empty):
    newer = backup.migrations[-1].model_copy(update={"name": "9999-of-tomorrow"})
    foreign = backup.model_copy(update={"migrations": [*backup.migrations, newer]})
    with pytest.raises(TerminalError, match="9999-of-tomorrow") as refused:
        async with connection_to(empty) as connection:
            await preparing.prepare(connection, foreign)
    assert refused.value.code == "backup-foreign"
    assert await of(empty, "select from pg_namespace where nspname = 'papers'") == []


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
            if (await loading.load(connection, backup, "papers.papers", until=float("-inf"))).done:
                break
    assert boxes == len(papers.chunks) > 3
    assert (await of(empty, "select count(*) from papers.papers"))[0]["count"] == PAPERS


async def test_an_index_is_built_with_the_memory_and_the_processes_that_are_set(backup, empty, monkeypatch):
    monkeypatch.setenv("BACKUPS_INDEX_MEMORY", "77MB")
    monkeypatch.setenv("BACKUPS_INDEX_WORKERS", "3")
    forget_settings()
    async with connection_to(empty) as connection:
        await preparing.prepare(connection, backup)
        await connection.execute("create table public.seen (what text)")
        await connection.execute(
            "update restoring.definitions set statement = 'insert into public.seen select current_setting("
            "''maintenance_work_mem'') || '' '' || current_setting(''max_parallel_maintenance_workers'')'"
        )
    async with connection_to(empty) as connection:
        await building.build(connection, late=True)
    assert await of(empty, "select distinct what from public.seen") == [{"what": "77MB 3"}]


async def test_what_is_in_the_archive_is_named_with_its_remedy_and_brought_back(backup, migrated, empty):
    [papers] = [one for one in backup.tables if one.full_name == "papers.papers"]
    blob = blob_service().get_blob_client(settings().backups_container, papers.chunks[0].blob)
    await blob.set_standard_blob_tier("Archive")
    done = restore(migrated, empty)
    assert done.returncode == 1
    assert "is in the archive tier" in done.stderr
    assert "REHYDRATE=yes" in done.stderr
    done = restore(migrated, empty, "--rehydrate")
    assert done.returncode == 0, done.stderr
    assert "being brought back from the archive" in done.stdout or "tables hold what the backup says" in done.stdout
    assert (await blob.get_blob_properties()).blob_tier == "Hot" or (await blob.get_blob_properties()).archive_status


async def test_files_that_rows_name_come_back_with_them(filled, migrated, empty):
    await create_blob("papers", "maps/1/points-aa.bin", b"points")
    await create_blob("papers", "maps/1/density-bb.bin", b"density")
    await create_blob("papers", "maps/1/work/fit-00001.npz", b"half")
    await create_blob("papers", "inbox/arxiv/a.jsonl", b"{}")
    await Player().play(back_up, TakeAndVerify(id="20261101T000100Z", chain="20261101T000000Z"))
    backup = await read_manifest()
    assert sorted(one.name for one in backup.files) == ["maps/1/density-bb.bin", "maps/1/points-aa.bin"]
    container = blob_service().get_container_client("papers")
    await container.delete_blob("maps/1/points-aa.bin")
    await container.upload_blob("maps/1/density-bb.bin", b"another", overwrite=True)
    done = restore(migrated, empty)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 files of maps" in done.stdout
    assert present(await read_blob("papers", "maps/1/points-aa.bin")).data == b"points"
    assert present(await read_blob("papers", "maps/1/density-bb.bin")).data == b"density"
    copy = blob_service().get_blob_client(settings().backups_container, backup.files[0].blob)
    await copy.upload_blob(b"changed", overwrite=True)
    assert await carrying.damaged(backup) == [f"file papers/{backup.files[0].name}: its copy is missing or damaged"]


async def test_a_backup_of_which_a_file_is_missing_is_refused(filled, migrated, empty):
    await create_blob("papers", "maps/1/missing.bin", b"points")
    await Player().play(back_up, TakeAndVerify(id="20261101T000100Z", chain="20261101T000000Z"))
    backup = await read_manifest()
    container = blob_service().get_container_client(settings().backups_container)
    await blob_service().get_container_client("papers").delete_blob("maps/1/missing.bin")
    [carried] = [one for one in backup.files if one.name == "maps/1/missing.bin"]
    [papers] = [one for one in backup.tables if one.full_name == "papers.papers"]
    for missing in (carried.blob, papers.chunks[0].blob):
        await container.delete_blob(missing)
        for arguments in ((), ("--rehydrate",)):
            done = restore(migrated, empty, *arguments)
            assert done.returncode == 1
            assert "backup-corrupt" in done.stderr
            assert "it is missing" in done.stderr
            assert "Restore another backup, of another chain" in done.stderr


async def test_what_the_app_writes_while_vectors_come_back_stays(filled, migrated, empty, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 8 * 8_192)
    await Player().play(back_up, TakeAndVerify(id="20261101T000100Z", chain="20261101T000000Z"))
    backup = await read_manifest()
    monkeypatch.setattr("shared.backups.restoring.restoration.say", said := Mock())
    real, begun = loading.load, []

    async def serving(connection, manifest, name, **given):
        if name == "papers.vectors_1" and not begun:  # as an app does that was started when it could serve
            begun.append(name)
            async with connection_to(empty) as app:
                await app.execute(
                    "insert into papers.papers (source, source_id, title, content_hash)"
                    " values ('arxiv', 'new', 'New', sha256('new'));"
                    " insert into papers.vectors_1 select paper_id, array[8,7,6,5,4,3,2,1]::real[]::halfvec(8), false"
                    " from papers.papers where source_id in ('id-1', 'id-2', 'new');"
                    " delete from papers.papers where source_id in ('id-3', 'id-4', 'id-5', 'id-6');"
                    " select papers.index_vectors(1::smallint, '64MB');"
                    " insert into papers.papers (source, source_id, title, abstract, content_hash) select 'arxiv',"
                    " 'more-' || n, 'More', repeat('words ', 200), sha256(n::text::bytea)"
                    " from generate_series(1, 5000) n"
                )
            raise ConnectionResetError
        return await real(connection, manifest, name, **given)

    monkeypatch.setattr("shared.backups.restoring.restoration.load", serving)
    with_vector = await of(
        conninfo.conninfo_to_dict(migrated)["dbname"],
        "select source_id from papers.papers join papers.vectors_1 using (paper_id)"
        " where source_id = any('{id-1,id-2,id-3,id-4,id-5,id-6}')",
    )
    monkeypatch.setenv("POSTGRES_DSN", conninfo.make_conninfo(migrated, dbname=empty))
    forget_settings()
    await close_pools()
    try:
        with pytest.raises(ConnectionResetError):
            await restoration.restore(backup)
        assert await restoration.restore(backup) is True, said.mock_calls
    finally:
        await close_pools()
    assert begun
    found = await of(
        empty,
        "select embedding::text = '[8,7,6,5,4,3,2,1]' as by_app, count(*) from papers.vectors_1 group by 1 order by 1",
    )
    lost = {one["source_id"] for one in with_vector}
    assert len(lost) > 2
    assert found == [{"by_app": False, "count": PAPERS // 2 - len(lost)}, {"by_app": True, "count": 3}]
    assert await of(empty, "select from pg_constraint where contype = 'f' and not convalidated") == []
    assert any("papers.vectors_1: the app has" in str(call) for call in said.mock_calls)


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


async def test_an_error_of_postgresql_is_one_line_with_what_to_do(backup, migrated, empty):
    async with connection_to(empty) as connection:
        await connection.execute(f"alter database {empty} set default_transaction_read_only = on".encode())
    done = restore(migrated, empty)
    assert done.returncode == 1
    assert (
        "restore: PostgreSQL: cannot execute CREATE SCHEMA in a read-only transaction. What was done is kept"
        in done.stderr
    )
    assert "Traceback" not in done.stderr


async def test_another_backup_is_not_mixed_into_it(backup, empty):
    async with connection_to(empty) as connection:
        await preparing.prepare(connection, backup)
    with pytest.raises(Conflict, match="is being restored into this database"):
        async with connection_to(empty) as connection:
            await preparing.prepare(connection, backup.model_copy(update={"id": "20261102T000000Z"}))
