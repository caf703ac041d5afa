"""Run by azd after it provisioned: bring the schema up to date and let the app's identity use it.

The one who runs it signs in as the server's Entra administrator (DATABASE_ADMIN_NAME). The server lets in only Azure's
own addresses, or nobody with a private network, so this address is let in for the minutes that it takes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

import certifi
import httpx
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

ARM = "https://management.azure.com"
ARM_SCOPE = f"{ARM}/.default"
POSTGRES_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"
WHAT_IS_MY_ADDRESS = "https://api.ipify.org"
RULE = "prepare-database"
PATIENCE_SECONDS = 180
"""How long a new firewall rule or administrator may take to be known to the server."""


@dataclass(frozen=True)
class Target:
    """What azd's outputs say: the server, its database, who prepares it and who will use it."""

    server_id: str
    host: str
    database: str
    admin: str
    app_role: str
    app_object_id: str

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Target:
        """Read it from the environment that azd gives to its hooks.

        Raises:
            SystemExit: a value is missing; the message names it.
        """
        names = {
            "server_id": "POSTGRES_SERVER_ID",
            "host": "POSTGRES_HOST",
            "database": "POSTGRES_DATABASE",
            "admin": "DATABASE_ADMIN_NAME",
            "app_role": "APP_IDENTITY_NAME",
            "app_object_id": "APP_IDENTITY_OBJECT_ID",
        }
        missing = [name for name in names.values() if not environment.get(name)]
        if missing:
            raise SystemExit(
                f"prepare_database: {', '.join(missing)} not set. Run it as `azd hooks run postprovision`."
            )
        return cls(**{field: environment[name] for field, name in names.items()})

    def dsn(self, database: str) -> str:
        """The administrator's connection to one of the server's databases."""
        # The password is a token that also opens Azure, so the server has to prove that it is the one that was meant.
        proof = {"sslmode": "verify-full", "sslrootcert": certifi.where()}
        return make_conninfo(
            "", host=self.host, port=5432, dbname=database, user=self.admin, connect_timeout=10, **proof
        )


@contextmanager
def let_in(client: httpx.Client, target: Target, address: str) -> Generator[None]:
    """Open the server's firewall for one address, and close it again whatever happens inside.

    Raises:
        httpx.HTTPStatusError: Azure refused; the caller needs the right to change the server.
    """
    rule = f"{target.server_id}/firewallRules/{RULE}?api-version=2024-08-01"
    wanted = {"properties": {"startIpAddress": address, "endIpAddress": address}}
    client.put(rule, json=wanted).raise_for_status()
    try:
        yield
    finally:
        client.delete(rule).raise_for_status()


def connect(conninfo: str, password: str) -> psycopg.Connection[Any]:
    """Connect as soon as the server knows the firewall rule and the administrator.

    Raises:
        psycopg.OperationalError: it still does not after PATIENCE_SECONDS.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return psycopg.connect(conninfo, password=password, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(5)


def create_app_role(connection: psycopg.Connection[Any], target: Target) -> None:
    """Make the app's identity a role without rights; Azure offers this in the database `postgres` only."""
    known = connection.execute("select 1 from pg_roles where rolname = %s", (target.app_role,)).fetchone()
    if known is None:
        connection.execute(
            "select pgaadauth_create_principal_with_oid(%s, %s, 'service', false, false)",
            (target.app_role, target.app_object_id),
        )


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


def main() -> None:
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - tests of this module need no Azure library

    target = Target.of(os.environ)
    credential = DefaultAzureCredential()
    password = credential.get_token(POSTGRES_SCOPE).token
    address = os.environ.get("MIGRATE_FROM_ADDRESS") or httpx.get(WHAT_IS_MY_ADDRESS, timeout=20).text.strip()
    headers = {"Authorization": f"Bearer {credential.get_token(ARM_SCOPE).token}"}
    with httpx.Client(base_url=ARM, headers=headers, timeout=60) as client, let_in(client, target, address):
        with connect(target.dsn("postgres"), password) as connection:
            create_app_role(connection, target)
        settings = {"POSTGRES_DSN": target.dsn(target.database), "POSTGRES_AUTH": "entra"}
        command = [sys.executable, "-m", "shared.platform.migrate"]
        subprocess.run(command, check=True, env=os.environ | settings)  # noqa: S603 - fixed words
        with connect(target.dsn(target.database), password) as connection:
            grant_use(connection, target.app_role)


if __name__ == "__main__":
    main()
