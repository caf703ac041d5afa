"""The roles of the database: one that owns everything, and the app's, which may use the rows.

Schemas and tables belong to a role of their own that nobody signs in as, and every administrator may act as it: what
one person made, the next person or the workflow can change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.platform.stores.migrate import Migration

OWNER = "manifold_owner"
ADMINISTRATORS = "azure_pg_admin"
"""The role that Azure makes every administrator of a server a member of."""


def create_app_role(connection: psycopg.Connection[Any], role: str, object_id: str) -> None:
    """Make the app's identity a role without rights; Azure offers this in the database `postgres` only."""
    if not _exists(connection, role):
        connection.execute(
            "select pgaadauth_create_principal_with_oid(%s, %s, 'service', false, false)",
            (role, object_id),
        )


def create_owner(connection: psycopg.Connection[Any], migrations: Iterable[Migration]) -> None:
    """Make the role that owns everything, and let every administrator act as it.

    Extensions are made here: only an administrator may, and the migrations that name them find them.
    """
    owner = sql.Identifier(OWNER)
    if not _exists(connection, OWNER):
        connection.execute(sql.SQL("create role {} nologin").format(owner))
        try:
            connection.execute(sql.SQL("grant {} to {}").format(owner, sql.Identifier(ADMINISTRATORS)))
        except psycopg.Error:  # then this one at least, who may let the next one in
            connection.execute(sql.SQL("grant {} to current_user").format(owner))
    database = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("grant create on database {} to {}").format(database, owner))
    connection.execute(sql.SQL("grant usage, create on schema public to {}").format(owner))
    for extension in _extensions(migrations):
        connection.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(extension)))


def act_as_owner(connection: psycopg.Connection[Any]) -> None:
    """Have the connection act as the owner from here on.

    Raises:
        SystemExit: this administrator may not; nothing was migrated.
    """
    try:
        connection.execute(sql.SQL("set role {}").format(sql.Identifier(OWNER)))
    except psycopg.errors.InsufficientPrivilege:
        raise SystemExit(
            f"{connection.info.user} may not act as {OWNER}. Have the administrator who ran this first sign in and run"
            f' `grant {OWNER} to "{connection.info.user}"`, then run it again.'
        ) from None


def grant_create(connection: psycopg.Connection[Any], role: str, migrations: Iterable[Migration]) -> None:
    """Let a role make all that migrations make in this database, and own it; elsewhere it still makes nothing."""
    database, named = sql.Identifier(connection.info.dbname), sql.Identifier(role)
    connection.execute(sql.SQL("grant create on database {} to {}").format(database, named))
    connection.execute(sql.SQL("grant usage, create on schema public to {}").format(named))
    for extension in _extensions(migrations):
        connection.execute(sql.SQL("create extension if not exists {}").format(sql.Identifier(extension)))


def grant_use(connection: psycopg.Connection[Any], role: str) -> None:
    """Let a role read and write the rows of every schema of ours, and none of their definitions.

    Tables that a later migration adds are covered by the run that follows it.
    """
    found = connection.execute(
        "select nspname from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')"
    )
    grants: tuple[LiteralString, ...] = (
        "grant usage on schema {schema} to {role}",
        "grant select, insert, update, delete, truncate on all tables in schema {schema} to {role}",
        "grant usage, select on all sequences in schema {schema} to {role}",
        "grant execute on all functions in schema {schema} to {role}",
    )
    for (schema,) in found.fetchall():
        for grant in grants:
            connection.execute(sql.SQL(grant).format(schema=sql.Identifier(schema), role=sql.Identifier(role)))
    connection.execute(
        sql.SQL("grant select on table public.schema_migrations to {role}").format(role=sql.Identifier(role))
    )


def _exists(connection: psycopg.Connection[Any], role: str) -> bool:
    return connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone() is not None


def _extensions(migrations: Iterable[Migration]) -> list[str]:
    named = re.compile(r"create extension if not exists \"?(\w+)", re.IGNORECASE)
    return sorted({name for migration in migrations for name in named.findall(migration.sql)})
