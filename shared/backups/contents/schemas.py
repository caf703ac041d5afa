"""Which schemas of a database are the app's, and which tables of them hold rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.platform.stores.postgres import rows

if TYPE_CHECKING:
    from psycopg import AsyncConnection

NOT_OURS = "n.nspname not in ('information_schema', 'restoring') and not starts_with(n.nspname, 'pg_')"
"""Schemas that are the server's, or a restore's own notes."""


async def tables(connection: AsyncConnection[Any]) -> list[str]:
    """Every table that holds rows of the app's, quoted where that is needed."""
    found = await rows(
        connection,
        "select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name from pg_class c"  # noqa: S608 - a constant
        f" join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and {NOT_OURS}"
        " and not exists (select from pg_depend d"
        "   where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')"
        " and (n.nspname, c.relname) <> ('public', 'schema_migrations') order by c.oid",
    )
    return [row["name"] for row in found]
