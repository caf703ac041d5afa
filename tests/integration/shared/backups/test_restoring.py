"""A restore into a new database: in its order, refused where it must be, gone on with after a kill."""

import os
import subprocess
import sys
from uuid import uuid4

import psycopg
import pytest
from psycopg import conninfo, sql

from orchestrators.backups.backing_up import back_up
from shared.backups import restoring
from shared.backups.files import read_manifest
from shared.backups.models import TakeAndVerify
from shared.platform.errors import Conflict, TerminalError
from shared.platform.stores.postgres import connection_to, rows
from tests.integration.player import Player
from tests.integration.shared.backups.conftest import PAPERS


@pytest.fixture
async def backup(filled):
    """A backup of the filled database."""
    await Player().play(back_up, TakeAndVerify(id="20261101T000100Z", chain="20261101T000000Z"))
    return await read_manifest()


@pytest.fixture
def empty(migrated):
    """The name of an empty database on the same server."""
    name = f"restored_{uuid4().hex[:8]}"
    with psycopg.connect(conninfo.make_conninfo(migrated, dbname="postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield name
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


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


def restore(migrated, name, *arguments):
    """The command that operators type."""
    environment = {**os.environ, "POSTGRES_DSN": conninfo.make_conninfo(migrated, dbname=name)}
    command = [sys.executable, "-m", "shared.backups", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


async def test_the_command_restores_everything_in_its_order(backup, migrated, empty):
    done = restore(migrated, empty)
    assert done.returncode == 0, done.stderr
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
    async with connection_to(conninfo.conninfo_to_dict(migrated)["dbname"]) as connection:
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
            await restoring.prepare(connection, foreign)
    assert refused.value.code == "backup-foreign"
    assert await of(empty, "select from pg_namespace where nspname = 'papers'") == []


async def test_a_restore_that_was_broken_off_goes_on(backup, migrated, empty):
    async with connection_to(empty) as connection:
        plan = await restoring.prepare(connection, backup)
    async with connection_to(empty) as connection:
        await restoring.load(connection, backup, "papers.papers")
    async with connection_to(empty) as connection:
        await restoring.load(connection, backup, "papers.models")
        await connection.rollback()  # as PostgreSQL does when its client is killed
    assert (await of(empty, "select count(*) from papers.papers"))[0]["count"] == PAPERS
    assert (await of(empty, "select count(*) from papers.models"))[0]["count"] == 0
    assert len(plan.late) == 1
    assert restore(migrated, empty).returncode == 0
    assert (await of(empty, "select count(*) from papers.models"))[0]["count"] == 1


async def test_another_backup_is_not_mixed_into_it(backup, empty):
    async with connection_to(empty) as connection:
        await restoring.prepare(connection, backup)
    with pytest.raises(Conflict, match="is being restored into this database"):
        async with connection_to(empty) as connection:
            await restoring.prepare(connection, backup.model_copy(update={"id": "20261102T000000Z"}))
