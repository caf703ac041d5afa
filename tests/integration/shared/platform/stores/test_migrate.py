"""The schema is brought up to date once, wholly or not at all, whoever runs it."""

import asyncio
import os
import sys
from dataclasses import replace

import psycopg
import pytest

from shared.platform.errors import InvalidInput, TerminalError
from shared.platform.stores.migrate import Migration, migrate, read, undo
from shared.platform.stores.postgres import DataRefused, close_pools
from tests.fresh_settings import forget_settings

ONE = Migration("0001-one", "create table one (n integer); insert into one values (1)", "drop table one")
TWO = Migration("0002-two", "insert into one values (2)", None)
BROKEN = Migration("0003-broken", "create table three (n integer); select 1 / 0", None)


@pytest.fixture
async def empty(database, monkeypatch):
    monkeypatch.setenv("POSTGRES_DSN", database)
    forget_settings()
    yield database
    await close_pools()
    forget_settings()


async def run(dsn, *arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "shared.platform.stores.migrate", *arguments),
        env={**os.environ, "POSTGRES_DSN": dsn},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode().splitlines(), err.decode()


async def test_several_at_once_apply_each_migration_once(empty):
    runs = await asyncio.gather(*(run(empty) for _ in range(3)))
    assert [code for code, _, _ in runs] == [0, 0, 0]
    names = [f"applied {migration.name}" for migration in read()]
    assert sorted(line for _, lines, _ in runs for line in lines) == sorted(
        [*names, "the schema is up to date", "the schema is up to date"]
    )


async def test_every_migration_of_the_project_can_be_undone_and_applied_again(empty):
    migrations = read()
    applied = await migrate(migrations)
    assert applied == [migration.name for migration in migrations]
    assert await undo(migrations, migrations[0].name) == applied[::-1]
    assert await migrate(migrations) == applied


async def test_only_what_is_missing_is_applied(empty):
    assert await migrate([ONE]) == ["0001-one"]
    assert await migrate([ONE, TWO]) == ["0002-two"]
    assert await migrate([ONE, TWO]) == []
    with psycopg.connect(empty) as connection:
        assert connection.execute("select n from one order by n").fetchall() == [(1,), (2,)]


async def test_a_migration_that_fails_leaves_nothing(empty):
    with pytest.raises(DataRefused):
        await migrate([ONE, BROKEN])
    assert await migrate([ONE]) == ["0001-one"]


async def test_an_edited_migration_is_refused(empty):
    await migrate([ONE])
    with pytest.raises(TerminalError, match="0001-one was edited") as refused:
        await migrate([replace(ONE, sql="create table other (n integer)"), TWO])
    assert refused.value.code == "migration-edited"
    assert await migrate([ONE, TWO]) == ["0002-two"]


async def test_undo_goes_back_to_before_the_named_migration(empty):
    await migrate([ONE, replace(TWO, rollback="delete from one where n = 2")])
    assert await undo([ONE, replace(TWO, rollback="delete from one where n = 2")], "0002-two") == ["0002-two"]
    with psycopg.connect(empty) as connection:
        assert connection.execute("select n from one").fetchall() == [(1,)]


async def test_undo_refuses_what_cannot_be_rolled_back_or_is_not_there(empty):
    await migrate([ONE, TWO])
    with pytest.raises(TerminalError, match="0002-two has no rollback"):
        await undo([ONE, TWO], "0001-one")
    with pytest.raises(InvalidInput, match="There is no migration 0009"):
        await undo([ONE, TWO], "0009")
    assert await migrate([ONE, TWO]) == []


async def test_a_missing_setting_is_one_clear_line():
    code, out, err = await run("")
    assert (code, out) == (1, [])
    assert err.startswith("migrate: The app's settings are not usable: POSTGRES_DSN")
    assert err.count("\n") == 1


@pytest.mark.parametrize("names", [["one.sql"], ["0001-a.sql", "0001-b.sql"]])
def test_a_file_without_a_number_of_its_own_is_refused(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("select 1")
    with pytest.raises(TerminalError, match="has no number of its own"):
        read(tmp_path)
