"""The hook that makes a new database ready, against a real PostgreSQL; Azure's own part of it is played."""

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from infra.hooks.prepare_database import Target, let_in
from shared.platform.stores.migrate import read
from shared.platform.stores.roles import create_app_role, grant_use

ENVIRONMENT = {
    "POSTGRES_SERVER_ID": "/subscriptions/s/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/flexibleServers/p",
    "POSTGRES_HOST": "p.postgres.database.azure.com",
    "POSTGRES_DATABASE": "manifold",
    "DATABASE_ADMIN_NAME": "operators",
    "APP_IDENTITY_NAME": "id-app",
    "APP_IDENTITY_OBJECT_ID": "11111111-1111-1111-1111-111111111111",
}


# The local server lets nobody make roles; this one is always there, without any right to our rows.
ROLE = "pg_read_all_settings"


@pytest.fixture
def prepared(database):
    """A database with our schema that the hook has prepared for the role."""
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("create table public.schema_migrations (name text primary key)")
        for migration in read():
            admin.execute(migration.sql.encode())
        assert not may(admin, "table", "platform.rate_limits", "select")
        grant_use(admin, ROLE)
        grant_use(admin, ROLE)  # a second run finds nothing wrong
        yield admin


def may(connection, kind, name, privilege):
    asked = sql.SQL("select {}(%s, %s, %s)").format(sql.Identifier(f"has_{kind}_privilege"))
    return connection.execute(asked, (ROLE, name, privilege)).fetchone()[0]


def test_the_app_reads_and_writes_the_rows_of_every_table(prepared):
    tables = prepared.execute(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('diamonds', 'platform')"
    ).fetchall()
    assert len(tables) > 5
    for (table,) in tables:
        for privilege in ("select", "insert", "update", "delete"):
            assert may(prepared, "table", table, privilege), f"{privilege} on {table}"
    assert may(prepared, "schema", "diamonds", "usage")
    assert may(prepared, "table", "public.schema_migrations", "select")


def test_the_app_changes_no_definitions(prepared):
    for schema in ("diamonds", "platform", "public"):
        assert not may(prepared, "schema", schema, "create")
    assert not may(prepared, "table", "platform.rate_limits", "references")
    assert not may(prepared, "table", "platform.rate_limits", "trigger")
    for privilege in ("insert", "update", "delete"):
        assert not may(prepared, "table", "public.schema_migrations", privilege)
    owned = prepared.execute("select count(*) from pg_class where pg_get_userbyid(relowner) = %s", (ROLE,)).fetchone()
    assert owned == (0,)


def test_a_role_is_made_with_the_identity_and_only_once(database):
    target = Target.of(ENVIRONMENT)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create table made (name text, identity text, kind text, admin bool, mfa bool)")
        connection.execute(
            "create function pgaadauth_create_principal_with_oid(text, text, text, bool, bool) returns void"
            " language sql as $$ insert into made values ($1, $2, $3, $4, $5) $$"
        )
        create_app_role(connection, ROLE, target.app_object_id)
        assert connection.execute("select * from made").fetchall() == []
        create_app_role(connection, target.app_role, target.app_object_id)
        made = connection.execute("select * from made").fetchall()
    assert made == [(target.app_role, target.app_object_id, "service", False, False)]


def test_the_address_is_let_in_and_shut_out_again():
    seen = []

    def arm(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.path, request.url.params["api-version"], request.content))
        return httpx.Response(202)

    target = Target.of(ENVIRONMENT)
    with httpx.Client(base_url="https://arm.test", transport=httpx.MockTransport(arm)) as client:
        rule_is_open = let_in(client, target, "192.0.2.7", "192.0.2.9")
        rule_is_open.__enter__()
        assert len(seen) == 1
        # A migration that fails closes the firewall as well.
        failed = RuntimeError("the migration failed")
        assert not rule_is_open.__exit__(RuntimeError, failed, None)
    rule = f"{target.server_id}/firewallRules/prepare-database"
    wanted = b'{"properties":{"startIpAddress":"192.0.2.7","endIpAddress":"192.0.2.9"}}'
    assert seen == [("PUT", rule, "2025-08-01", wanted), ("DELETE", rule, "2025-08-01", b"")]


def test_a_missing_value_is_named():
    with pytest.raises(SystemExit, match="POSTGRES_HOST, APP_IDENTITY_NAME not set"):
        Target.of({k: v for k, v in ENVIRONMENT.items() if k not in {"POSTGRES_HOST", "APP_IDENTITY_NAME"}})


def test_the_servers_name_is_proved_to_the_one_who_sends_a_token():
    dsn = conninfo_to_dict(Target.of(ENVIRONMENT).dsn("manifold", "token"))
    assert dsn["sslmode"] == "verify-full"
    assert str(dsn["sslrootcert"]).endswith(".pem")
