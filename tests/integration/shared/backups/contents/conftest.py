"""What PostgreSQL's own dump says of a database."""

import shutil
import subprocess

import pytest
from psycopg import conninfo

from local.postgres.account import caller_account
from local.postgres.cluster import programs


@pytest.fixture
def dumped(migrated):
    """What `pg_dump` says of a table of a database."""
    program = programs(caller_account()) / "pg_dump"
    assert shutil.which(program), "PostgreSQL's programs come with it"

    def dump(name, table=None):
        address = conninfo.make_conninfo(migrated, dbname=name)
        command = [program, "--schema-only", *([f"--table={table}"] if table else []), address]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        return [line for line in done.stdout.splitlines() if line and not line.startswith(("--", "\\"))]

    return dump
