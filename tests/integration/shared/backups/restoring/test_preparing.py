"""Which database a backup may be restored into, and of which schema it may be."""

import pytest
from psycopg import conninfo

from shared.backups.restoring import preparing
from shared.platform.errors import Conflict, TerminalError
from shared.platform.stores.postgres import connection_to
from tests.integration.shared.backups.conftest import of, restore


async def test_a_database_with_tables_is_left_alone(backup, migrated):
    done = restore(migrated, conninfo.conninfo_to_dict(migrated)["dbname"])
    assert done.returncode == 1
    assert "A backup is restored into an empty one alone" in done.stderr
    assert "POSTGRES_DSN" in done.stderr


async def test_a_backup_of_a_schema_that_is_not_known_is_refused(backup, empty):
    newer = backup.migrations[-1].model_copy(update={"name": "9999-of-tomorrow"})
    foreign = backup.model_copy(update={"migrations": [*backup.migrations, newer]})
    with pytest.raises(TerminalError, match="9999-of-tomorrow") as refused:
        async with connection_to(empty) as connection:
            await preparing.prepare(connection, foreign)
    assert refused.value.code == "backup-foreign"
    assert await of(empty, "select from pg_namespace where nspname = 'papers'") == []


async def test_another_backup_is_not_mixed_into_it(backup, empty):
    async with connection_to(empty) as connection:
        await preparing.prepare(connection, backup)
    with pytest.raises(Conflict, match="is being restored into this database"):
        async with connection_to(empty) as connection:
            await preparing.prepare(connection, backup.model_copy(update={"id": "20261102T000000Z"}))
