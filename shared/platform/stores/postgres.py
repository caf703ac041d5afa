"""The app's PostgreSQL connections: one bounded pool per process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from shared.platform.credentials import postgres_password
from shared.platform.errors import TerminalError, TransientError
from shared.platform.per_loop import PerLoop
from shared.platform.settings import settings
from shared.platform.telemetry import span

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from psycopg import AsyncConnection
    from psycopg_pool import AsyncConnectionPool


class DataRefused(TerminalError):
    """A value that PostgreSQL cannot store or compute with; the server is well. The transaction was rolled back."""

    code = "data-refused"

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"PostgreSQL refused a value: {reason[:300]}.", remedy="The value must change; nothing was stored."
        )
        self.reason = reason


CONNECT_SECONDS = 10
STATEMENT_MILLISECONDS = 600_000


async def connect_arguments() -> dict[str, Any]:
    """With what a connection is opened, beside the address in POSTGRES_DSN: limits, and in Azure a token."""
    arguments: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "manifold",
        "keepalives_idle": 60,  # Azure drops what was silent for four minutes, as while an index is built
        "options": f"-c statement_timeout={STATEMENT_MILLISECONDS} -c idle_in_transaction_session_timeout=60000",
    }
    if settings().postgres_auth == "entra":
        import certifi  # noqa: PLC0415 - loads in the activity that needs it

        arguments["password"] = await postgres_password()
        # The token must reach nobody but the server whose name we asked for.
        arguments |= {"sslmode": "verify-full", "sslrootcert": certifi.where()}
    return arguments


def _closed_pool() -> AsyncConnectionPool[Any]:
    from psycopg_pool import AsyncConnectionPool  # noqa: PLC0415 - loads in the activity that needs it

    return AsyncConnectionPool(
        settings().postgres_dsn,
        kwargs=connect_arguments,
        min_size=0,
        max_size=settings().postgres_pool_size,
        max_idle=120,
        timeout=30,
        open=False,
        name="manifold",
    )


_pools = PerLoop(_closed_pool)


async def _pool() -> AsyncConnectionPool[Any]:
    pool = _pools.get()
    if pool.closed:
        await pool.open()
    return pool


@asynccontextmanager
async def database() -> AsyncGenerator[AsyncConnection[Any]]:
    """A connection from the pool, in a transaction that commits when the block ends and rolls back when it raises.

    Raises:
        TransientError: no connection could be had, or it broke: a deadlock, a restart of the server, a lost network.
        DataRefused: a value is too large or of no type that PostgreSQL could store.
    """
    from psycopg import DataError, OperationalError  # noqa: PLC0415 - loads in the activity that needs it
    from psycopg.errors import ProgramLimitExceeded, StatementTooComplex  # noqa: PLC0415 - as above
    from psycopg_pool import PoolTimeout  # noqa: PLC0415 - as above

    pool = await _pool()
    try:
        with span("postgres.transaction"):
            async with pool.connection() as connection:
                yield connection
    except (DataError, ProgramLimitExceeded, StatementTooComplex) as error:
        raise DataRefused(str(error.diag.message_primary or error)) from error
    except (OperationalError, PoolTimeout) as error:
        raise TransientError(
            f"PostgreSQL did not do its part: {type(error).__name__}: {str(error).strip()[:300]}.",
            code="postgres-unavailable",
            remedy="The transaction was rolled back. See that the server runs and that POSTGRES_DSN names it.",
        ) from error


@asynccontextmanager
async def connection_to(name: str) -> AsyncGenerator[AsyncConnection[Any]]:
    """A connection of its own to another database of the same server, in a transaction like that of `database`.

    Raises:
        TransientError: the server does not answer, there is no such database, or the app may not use it.
    """
    from psycopg import AsyncConnection, OperationalError  # noqa: PLC0415 - loads in the activity that needs it
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - as above

    try:
        address = make_conninfo(settings().postgres_dsn, dbname=name)
        async with await AsyncConnection.connect(address, **await connect_arguments()) as connection:
            yield connection
    except OperationalError as error:
        raise TransientError(
            f"PostgreSQL did not do its part in the database {name}: {str(error).strip()[:300]}.",
            code="postgres-unavailable",
            remedy="See that the server runs, that the database exists, and that the app's role may use it.",
        ) from error


async def rows(
    connection: AsyncConnection[Any],
    query: str,
    parameters: Sequence[Any] | Mapping[str, Any] = (),
    *,
    prepare: bool | None = None,
) -> list[dict[str, Any]]:
    """All rows of a query that was written in this project, by column name.

    `prepare=False` has it planned anew each time: a plan made while the tables were small is bad when they are not.
    """
    from psycopg.rows import dict_row  # noqa: PLC0415 - loads in the activity that needs it

    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(query.encode(), parameters, prepare=prepare)
        return await cursor.fetchall()


async def rows_of_each(
    connection: AsyncConnection[Any], query: str, parameters: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The rows that a query gives for each of these parameters, in their order, without waiting for each answer."""
    from psycopg.rows import dict_row  # noqa: PLC0415 - loads in the activity that needs it

    found: list[dict[str, Any]] = []
    if not parameters:
        return found
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.executemany(query.encode(), parameters, returning=True)
        while True:
            found += await cursor.fetchall()
            if not cursor.nextset():
                return found


@asynccontextmanager
async def each_statement_commits(connection: AsyncConnection[Any]) -> AsyncGenerator[None]:
    """Within the block each statement is a transaction of its own, so that a row is never locked until a COMMIT comes.

    To be entered before the connection's first statement.
    """
    await connection.set_autocommit(True)
    try:
        yield
    finally:
        await connection.set_autocommit(False)


async def close_pools() -> None:
    """Close this loop's pool, if it has one. For commands, whose loop ends."""
    pool = _pools.pop()
    if pool is not None:
        await pool.close()
