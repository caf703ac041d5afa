"""How indexes are built."""

from shared.backups.restoring import building, preparing
from shared.platform.stores.postgres import connection_to
from tests.fresh_settings import forget_settings
from tests.integration.shared.backups.conftest import of


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
