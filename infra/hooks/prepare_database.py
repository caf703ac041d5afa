"""After a provisioning: bring the schema up to date and let the app's identity use it.

The one who runs it signs in as the server's Entra administrator (DATABASE_ADMIN_NAME). The server lets in only Azure's
own addresses, or nobody with a private network, so this address is let in for the minutes that it takes.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import certifi
import httpx
import psycopg
from psycopg.conninfo import make_conninfo

from infra.hooks.azure import POSTGRES_API, credential, manager
from shared.platform.errors import ManifoldError
from shared.platform.settings import PlatformSettings
from shared.platform.stores.migrate import Migration, migrate, read
from shared.platform.stores.postgres import close_pools
from shared.platform.stores.roles import OWNER, act_as_owner, create_app_role, create_owner, grant_create, grant_use

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

POSTGRES_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"
WHAT_IS_MY_ADDRESS = "https://api.ipify.org"
RULE = "prepare-database"
SCRATCH = "manifold_scratch"
"""The database in which backups are restored to see that they can be; the Bicep makes it."""
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

    def dsn(self, database: str, password: str) -> str:
        """The administrator's connection to one of the server's databases."""
        # The password is a token that also opens Azure, so the server has to prove that it is the one that was meant.
        proof = {"sslmode": "verify-full", "sslrootcert": certifi.where()}
        server = {"host": self.host, "port": 5432, "dbname": database, "connect_timeout": 10}
        return make_conninfo("", user=self.admin, password=password, **server, **proof)


def addresses(environment: Mapping[str, str]) -> tuple[str, str]:
    """The first and last address to let in: this machine's, or MIGRATE_FROM_ADDRESS, which may be a range A-B.

    Raises:
        SystemExit: MIGRATE_FROM_ADDRESS is neither an address nor a range.
        httpx.HTTPError: this machine's address could not be found out.
    """
    given = environment.get("MIGRATE_FROM_ADDRESS") or httpx.get(WHAT_IS_MY_ADDRESS, timeout=20).text.strip()
    first, _, last = given.partition("-")
    try:
        start, end = ipaddress.IPv4Address(first), ipaddress.IPv4Address(last or first)
    except ValueError:
        raise SystemExit(f"MIGRATE_FROM_ADDRESS is {given!r}: give an IPv4 address, or a range A-B.") from None
    return str(start), str(end)


@contextmanager
def let_in(client: httpx.Client, target: Target, first: str, last: str) -> Generator[None]:
    """Open the server's firewall for a range of addresses, and close it again whatever happens inside.

    Raises:
        httpx.HTTPStatusError: Azure refused; the caller needs the right to change the server.
    """
    rule = f"{target.server_id}/firewallRules/{RULE}?api-version={POSTGRES_API}"
    wanted = {"properties": {"startIpAddress": first, "endIpAddress": last}}
    client.put(rule, json=wanted).raise_for_status()
    try:
        yield
    finally:
        client.delete(rule).raise_for_status()


def connect(conninfo: str) -> psycopg.Connection[Any]:
    """Connect as soon as the server knows the firewall rule and the administrator.

    Raises:
        psycopg.OperationalError: it still does not after PATIENCE_SECONDS.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return psycopg.connect(conninfo, autocommit=True)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(5)


@contextmanager
def opened(environment: Mapping[str, str]) -> Generator[tuple[Target, str]]:
    """The server open to this machine for as long as the block lasts, with the token that is the password there.

    Raises:
        SystemExit: the environment lacks a value.
        httpx.HTTPStatusError: Azure refused to open the firewall.
    """
    target = Target.of(environment)
    signed_in = credential(environment)
    first, last = addresses(environment)
    with manager(signed_in) as client, let_in(client, target, first, last):
        yield target, signed_in.get_token(POSTGRES_SCOPE).token


def only_database(dsn: str) -> None:
    """Leave of this process's environment what concerns the database alone.

    azd's environment holds settings of the app as parameters, some as references to a vault: not for us to read.
    """
    for name, field in PlatformSettings.model_fields.items():
        os.environ.pop(field.alias or name.upper(), None)
    os.environ |= {"POSTGRES_DSN": dsn, "POSTGRES_AUTH": "password"}


def apply(migrations: list[Migration], dsn: str) -> None:
    """Bring the database to the newest schema.

    Raises:
        SystemExit: a migration failed; nothing of it was applied.
    """
    only_database(dsn)

    async def run() -> list[str]:
        try:
            return await migrate(migrations, OWNER)
        finally:
            await close_pools()

    try:
        # psycopg cannot use the event loop that Windows has by default.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            applied = runner.run(run())
    except (ManifoldError, psycopg.Error) as error:
        raise SystemExit(f"prepare_database: {error}") from error
    sys.stderr.write("".join(f"applied {name}\n" for name in applied) or "the schema is up to date\n")


def main() -> None:
    migrations = read()
    with opened(os.environ) as (target, password):
        with connect(target.dsn("postgres", password)) as connection:
            create_app_role(connection, target.app_role, target.app_object_id)
        dsn = target.dsn(target.database, password)
        with connect(dsn) as connection:
            create_owner(connection, migrations)
            act_as_owner(connection)
            apply(migrations, dsn)
            grant_use(connection, target.app_role)
        # Here the app restores its backups, and owns what it makes.
        with connect(target.dsn(SCRATCH, password)) as connection:
            grant_create(connection, target.app_role, migrations)


if __name__ == "__main__":
    main()
