"""The database's extension for vectors, of a version that does not damage them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.platform.errors import TerminalError
from shared.platform.health import Check
from shared.platform.stores.postgres import database, rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

LEAST = (0, 8, 4)
"""Before it, a vacuum could damage an index of nearest neighbours (pgvector's issues 988 and 993)."""


async def check_pgvector(connection: AsyncConnection[Any]) -> None:
    """See that the extension is there, and new enough.

    Raises:
        TerminalError: it is not; nothing is embedded.
    """
    extensions = await rows(connection, "select extversion from pg_extension where extname = 'vector'")
    version = extensions[0]["extversion"] if extensions else "none"
    if not extensions or tuple(int(part) for part in version.split(".")) < LEAST:
        raise TerminalError(
            f"pgvector {'.'.join(map(str, LEAST))} is needed, and {version} is there.",
            code="pgvector-too-old",
            remedy="Update the server, then run `alter extension vector update` as its administrator.",
        )


async def probe() -> None:
    """As `check_pgvector`, for the app's health."""
    async with database() as connection:
        await check_pgvector(connection)


PROBE = Check("pgvector", probe)
