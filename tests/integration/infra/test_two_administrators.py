"""One administrator provisions first, another one later: what the first made, the second migrates.

On a server of its own, whose roles are as Azure makes them: two administrators, both members of `azure_pg_admin`, which
owns the database, and neither of them a superuser.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from infra.hooks.prepare_database import apply
from local.postgres import server
from local.postgres.account import caller_account
from local.postgres.cluster import ensure, programs
from orchestrators.backups.backing_up import back_up
from shared.backups.models import TakeAndVerify
from shared.platform.stores import roles
from shared.platform.stores.migrate import Migration, read
from shared.platform.stores.postgres import close_pools
from shared.platform.stores.roles import OWNER, act_as_owner, create_owner, grant_create, grant_use
from tests.fresh_settings import forget_settings
from tests.integration.player import Player

ROLES = """\
CREATE ROLE azure_pg_admin CREATEROLE CREATEDB;
CREATE ROLE "first@example.com" LOGIN CREATEROLE CREATEDB PASSWORD 'first' IN ROLE azure_pg_admin;
CREATE ROLE second LOGIN CREATEROLE CREATEDB PASSWORD 'second' IN ROLE azure_pg_admin;
CREATE ROLE stranger LOGIN CREATEROLE CREATEDB PASSWORD 'stranger';
CREATE ROLE app LOGIN PASSWORD 'app';
CREATE DATABASE prepared OWNER azure_pg_admin;
CREATE DATABASE backed_up OWNER azure_pg_admin;
CREATE DATABASE scratch OWNER azure_pg_admin;
"""
NEXT = Migration(
    "9999-next",
    "create extension if not exists vector;"
    " alter table platform.rate_limits add column added int;"
    " create table platform.added (id int);",
    None,
)
"""What a later version might bring: a change to a table that the first administrator made."""


@pytest.fixture(scope="module")
def port():
    user = caller_account()
    folder = programs(user)
    data = Path(tempfile.mkdtemp(prefix="manifold-administrators-"))
    ensure(user, folder, data, sync=False)
    single = [str(folder / "postgres"), "--single", "-D", str(data), "-c", "exit_on_error=on", "template1"]
    made = user.run(single, stdin=ROLES)
    assert made.returncode == 0, made.stderr
    try:
        with server(data, throwaway=True) as running:
            yield running.port
    finally:
        shutil.rmtree(data, ignore_errors=True)


@pytest.fixture
def prepare(port, monkeypatch):
    """The hook's own steps, taken by an administrator."""

    def steps(user, password, migrations, name="prepared"):
        monkeypatch.setenv("POSTGRES_DSN", "")
        monkeypatch.setenv("POSTGRES_AUTH", "entra")
        # As in azd's environment: a reference to a vault where the app would expect JSON.
        monkeypatch.setenv("HMAC_SECRETS", "akvs://subscription/vault/hmac-secrets")
        forget_settings()
        dsn = make_conninfo(host="127.0.0.1", port=port, dbname=name, user=user, password=password)
        with psycopg.connect(dsn, autocommit=True) as connection:
            create_owner(connection, migrations)
            act_as_owner(connection)
            apply(migrations, dsn)
            grant_use(connection, "app")
        return dsn

    yield steps
    forget_settings()


def test_the_second_administrator_goes_on_where_the_first_ended(prepare, port):
    first = prepare("first@example.com", "first", read())
    second = prepare("second", "second", [*read(), NEXT])
    prepare("first@example.com", "first", [*read(), NEXT])
    for dsn in (first, second):
        with psycopg.connect(dsn) as connection:
            foreign = connection.execute(
                "select relname from pg_class join pg_namespace n on n.oid = relnamespace"
                " where nspname in ('diamonds', 'platform') and pg_get_userbyid(relowner) <> %s",
                (OWNER,),
            )
            assert foreign.fetchall() == []
            # What an operator does by hand, such as making a client's key, needs no role to be set.
            connection.execute("insert into platform.added values (1)")
    app = psycopg.connect(f"host=127.0.0.1 port={port} dbname=prepared user=app password=app", autocommit=True)
    with app:
        assert app.execute("select count(*) from platform.added").fetchone() == (2,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("alter table platform.added add column more int")


def test_who_is_no_administrator_is_told_what_is_missing(prepare, port):
    prepare("second", "second", read())
    stranger = f"host=127.0.0.1 port={port} dbname=prepared user=stranger password=stranger"
    with psycopg.connect(stranger) as connection, pytest.raises(SystemExit, match='grant manifold_owner to "stranger"'):
        act_as_owner(connection)


def test_where_azure_s_role_takes_no_other_the_first_administrator_lets_the_next_one_in(prepare, port, monkeypatch):
    """Whether Azure lets its role have another one granted cannot be tried here."""
    monkeypatch.setattr(roles, "ADMINISTRATORS", "no_such_role")
    monkeypatch.setattr(roles, "OWNER", "other_owner")
    first = psycopg.connect(f"host=127.0.0.1 port={port} dbname=prepared user=second password=second", autocommit=True)
    next_one = psycopg.connect(
        f"host=127.0.0.1 port={port} dbname=prepared user=first@example.com password=first", autocommit=True
    )
    with first, next_one:
        create_owner(first, [])
        act_as_owner(first)
        create_owner(next_one, [])
        with pytest.raises(SystemExit, match=r'grant other_owner to "first@example\.com"'):
            act_as_owner(next_one)
        first.execute("reset role")
        first.execute('grant other_owner to "first@example.com"')
        act_as_owner(next_one)


async def test_the_app_backs_up_and_restores_with_no_more_rights_than_it_has(
    prepare, port, storage, storage_connection, monkeypatch
):
    await asyncio.to_thread(prepare, "second", "second", read(), "backed_up")
    for _ in range(2):  # a second run finds nothing wrong
        dsn = make_conninfo(host="127.0.0.1", port=port, dbname="scratch", user="second", password="second")
        with psycopg.connect(dsn, autocommit=True) as connection:
            grant_create(connection, "app", read())
    app = make_conninfo(host="127.0.0.1", port=port, dbname="backed_up", user="app", password="app")
    with psycopg.connect(app, autocommit=True) as connection:
        connection.execute(
            "insert into papers.models (name, version, dimensions, state) values ('m', '1', 8, 'current')"
        )
        connection.execute("select papers.make_vectors(model_id) from papers.models")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create schema of_the_app")
    monkeypatch.setenv("POSTGRES_DSN", app)
    monkeypatch.setenv("POSTGRES_AUTH", "password")
    monkeypatch.setenv("HMAC_SECRETS", "{}")
    monkeypatch.setenv("STORAGE_CONNECTION", storage_connection)
    monkeypatch.setenv("BACKUPS_CONTAINER", "backups-of-the-app")
    monkeypatch.setenv("BACKUPS_SCRATCH_DATABASE", "scratch")
    forget_settings()
    try:
        for number in (1, 2):
            task = TakeAndVerify(id=f"20261101T00000{number}Z", chain="20261101T000000Z", verify=True)
            assert (await Player().play(back_up, task)).verified is True
    finally:
        await close_pools()


async def test_what_an_administrator_restores_belongs_to_the_owner_and_the_app_may_use_it(
    prepare, port, storage, storage_connection, monkeypatch
):
    await asyncio.to_thread(prepare, "second", "second", read(), "backed_up")
    environment = {
        "POSTGRES_DSN": make_conninfo(host="127.0.0.1", port=port, dbname="backed_up", user="app", password="app"),
        "POSTGRES_AUTH": "password",
        "HMAC_SECRETS": "{}",
        "STORAGE_CONNECTION": storage_connection,
        "BACKUPS_CONTAINER": "backups-restored-by-another",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    forget_settings()
    try:
        await Player().play(back_up, TakeAndVerify(id="20261101T000001Z", chain="20261101T000000Z"))
    finally:
        await close_pools()
    with psycopg.connect(
        make_conninfo(host="127.0.0.1", port=port, dbname="postgres", user="second", password="second"), autocommit=True
    ) as connection:
        connection.execute("create database restored")
    restored = make_conninfo(host="127.0.0.1", port=port, dbname="restored", user="second", password="second")

    def restore(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "shared.backups", *arguments],
            env={**os.environ, **environment, "POSTGRES_DSN": restored},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    unnamed, unknown = await asyncio.to_thread(restore), await asyncio.to_thread(restore, "--app-role=nobody")
    assert (unnamed.returncode, "APP_IDENTITY_NAME" in unnamed.stderr) == (1, True)
    assert (unknown.returncode, "There is no role 'nobody'" in unknown.stderr) == (1, True)
    done = await asyncio.to_thread(restore, "--app-role=app")
    assert (done.returncode, done.stderr) == (0, "")
    # The next administrator goes on with it, as the next `azd provision` does.
    await asyncio.to_thread(prepare, "first@example.com", "first", [*read(), NEXT], "restored")
    with psycopg.connect(restored) as connection:
        foreign = connection.execute(
            "select relname from pg_class join pg_namespace n on n.oid = relnamespace"
            " where nspname in ('diamonds', 'papers', 'platform', 'public') and relkind in ('r', 'p', 'S')"
            " and pg_get_userbyid(relowner) <> %s",
            (OWNER,),
        )
        assert foreign.fetchall() == []
    app = make_conninfo(host="127.0.0.1", port=port, dbname="restored", user="app", password="app")
    with psycopg.connect(app, autocommit=True) as connection:
        connection.execute(
            "insert into papers.models (name, version, dimensions, state) values ('n', '1', 8, 'building')"
        )
        connection.execute("select papers.make_vectors(model_id) from papers.models")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("alter table papers.models add column more int")
