"""Bring the database's schema up to date: `python -m shared.platform.stores.migrate`.

Applies the `migrations/NNNN-name.sql` that the database has not seen, in the order of their names, in one transaction
with the rows that record them: a run that is killed has done nothing, and several at once wait for one another.
yoyo-migrations, the library looked at, records a migration in another transaction than it runs it in, keeps its lock
as a row that a killed process leaves behind, and has had no release since August 2024.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.platform.errors import InvalidInput, ManifoldError, TerminalError
from shared.platform.stores.postgres import close_pools, database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import AsyncConnection

FOLDER = Path(__file__).parents[3] / "migrations"
_LOCK = 0x6D616E69
"""Key of the advisory lock; any number that nothing else in this database uses."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the folder; `name` is the file's without its ending."""

    name: str
    sql: str
    rollback: str | None

    @property
    def digest(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def read(folder: Path = FOLDER) -> list[Migration]:
    """The migrations of a folder in the order in which they apply.

    Raises:
        TerminalError: a file's name does not begin with a number of its own.
    """
    migrations: list[Migration] = []
    numbers: set[str] = set()
    for path in sorted(path for path in folder.glob("*.sql") if not path.name.endswith(".rollback.sql")):
        number = re.match(r"\d{4}(?=-)", path.name)
        if number is None or number[0] in numbers:
            raise TerminalError(
                f"The migration {path.name} has no number of its own.",
                code="migration-name",
                remedy="Name it NNNN-what-it-does.sql with the next free number.",
            )
        numbers.add(number[0])
        undo = path.with_suffix(".rollback.sql")
        migrations.append(Migration(path.stem, path.read_text(), undo.read_text() if undo.exists() else None))
    return migrations


async def migrate(migrations: Sequence[Migration], role: str | None = None) -> list[str]:
    """Apply what the database has not seen; the names of what was applied.

    `role` owns what is made, where it is another one than the one that signs in.

    Raises:
        TerminalError: a migration was edited after the database applied it; nothing was applied.
    """
    async with database() as connection:
        return await apply(connection, migrations, role)


async def apply(
    connection: AsyncConnection[Any], migrations: Sequence[Migration], role: str | None = None
) -> list[str]:
    """As `migrate`, in the transaction of a connection to whichever database."""
    digests = await _lock(connection, role)
    missing = [migration for migration in migrations if migration.name not in digests]
    for migration in migrations:
        if digests.get(migration.name, migration.digest) != migration.digest:
            raise TerminalError(
                f"The migration {migration.name} was edited after the database applied it.",
                code="migration-edited",
                remedy="Put the file back as it was and make the change in a new migration.",
            )
    for migration in missing:
        await connection.execute(migration.sql.encode())
        await connection.execute(
            "insert into public.schema_migrations (name, sha256) values (%s, %s)",
            (migration.name, migration.digest),
        )
    return [migration.name for migration in missing]


async def undo(migrations: Sequence[Migration], name: str) -> list[str]:
    """Roll back the named migration and all that were applied after it; their names, the newest first.

    Raises:
        InvalidInput: no migration has that name.
        TerminalError: one of them has no `.rollback.sql`; nothing was rolled back.
    """
    if all(migration.name != name for migration in migrations):
        raise InvalidInput(f"There is no migration {name}.", field="undo")
    async with database() as connection:
        digests = await _lock(connection)
        applied = [migration for migration in migrations if migration.name >= name and migration.name in digests]
        for migration in reversed(applied):
            if migration.rollback is None:
                raise TerminalError(f"The migration {migration.name} has no rollback.", code="migration-no-rollback")
            await connection.execute(migration.rollback.encode())
            await connection.execute("delete from public.schema_migrations where name = %s", (migration.name,))
    return [migration.name for migration in reversed(applied)]


async def _lock(connection: AsyncConnection[Any], role: str | None = None) -> dict[str, str]:
    """Until the transaction ends, no other migration runs beside it. The digests of what was applied, by name."""
    if role is not None:
        await connection.execute("select set_config('role', %s, true)", (role,))
    await connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
    await connection.execute(
        "create table if not exists public.schema_migrations"
        " (name text primary key, sha256 text not null, applied_at timestamptz not null default now())"
    )
    rows = await connection.execute("select name, sha256 from public.schema_migrations")
    return dict(await rows.fetchall())


async def _main(undone: str | None) -> int:
    from psycopg import Error  # noqa: PLC0415 - the app never imports the driver at start

    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # one line says that the server is not there, not twenty
    try:
        migrations = read()
        if undone:
            verb, names = "rolled back", await undo(migrations, undone)
        else:
            verb, names = "applied", await migrate(migrations)
    except (ManifoldError, Error) as error:
        sys.stderr.write(f"migrate: {error}\n")
        return 1
    finally:
        await close_pools()
    sys.stdout.write("".join(f"{verb} {name}\n" for name in names) or "the schema is up to date\n")
    return 0


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(prog="python -m shared.platform.stores.migrate", description=__doc__)
    parser.add_argument("--undo", metavar="NAME", help="roll back this migration and all that came after it")
    sys.exit(asyncio.run(_main(parser.parse_args().undo)))
