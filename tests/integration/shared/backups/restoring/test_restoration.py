"""A whole restore by the command that operators type: in its order, and what it says where it cannot go on."""

from psycopg import conninfo

from shared.platform.stores.postgres import connection_to, rows
from tests.integration.shared.backups.conftest import of, restore

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


async def test_an_unknown_backup_is_named(backup, migrated, empty):
    done = restore(migrated, empty, "20200101T000000Z")
    assert (done.returncode, "There is no backup '20200101T000000Z'" in done.stderr) == (1, True)


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
