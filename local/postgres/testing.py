"""pytest fixtures: one PostgreSQL server for all workers of a test run, and a fresh database wherever one is wanted.

Load them with `pytest_plugins = ["local.postgres.testing"]` in tests/conftest.py.
"""

import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from local.postgres import dsn, server
from local.testing import locked, shared, shared_folder

_DROP_SECONDS = 30
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder with a name of its own is made there
_ROOM = 4_000_000_000
"""Bytes that must be free there; a test run has used a tenth of it."""


class Databases:
    """The server of this test run; every database made here is owned by the role of the DSN and has pgvector."""

    def __init__(self, port: int, shared: Path) -> None:
        self.port = port
        self._shared = shared

    @contextmanager
    def database(self, template: str = "template1") -> Generator[str]:
        """Give the DSN of a new copy of the template; drop it at the end, whoever is still connected."""
        name = f"test_{uuid.uuid4().hex}"
        # The other strategy writes the whole database through the log.
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY"), name, template)
        try:
            yield dsn(self.port, name)
        finally:
            self._drop(name)

    def template(self, name: str, prepare: Callable[[str], None]) -> str:
        """Make the database `name` once in this test run, filled by `prepare(dsn)`; return its name for `database`.

        `prepare` must close its connections: PostgreSQL does not copy a database that is in use.
        """
        # The server says whether it is there, and not a file: with its last user it ends, and the next gets a new one.
        with locked(self._shared / "template.lock"):
            if not self._has(name):
                unfinished = f"{name}-unfinished"
                self._execute(sql.SQL("DROP DATABASE IF EXISTS {}"), unfinished)
                self._execute(sql.SQL("CREATE DATABASE {}"), unfinished)
                prepare(dsn(self.port, unfinished))
                self._execute(sql.SQL("ALTER DATABASE {} RENAME TO {}"), unfinished, name)
        return name

    def _has(self, name: str) -> bool:
        with psycopg.connect(dsn(self.port)) as connection:
            return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is not None

    def _drop(self, name: str) -> None:
        deadline = time.monotonic() + _DROP_SECONDS
        while True:
            try:
                return self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)"), name)
            except psycopg.errors.InsufficientPrivilege:  # autovacuum is in it, which only a superuser may end
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def _execute(self, statement: sql.SQL, *names: str) -> None:
        with psycopg.connect(dsn(self.port), autocommit=True) as connection:
            connection.execute(statement.format(*map(sql.Identifier, names)))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Generator[Databases]:
    """The server shared by all xdist workers."""
    folder = shared_folder(tmp_path_factory)
    with shared(folder, "postgres", _start) as port:
        yield Databases(int(port), folder)


@pytest.fixture
def database(postgres: Databases) -> Generator[str]:
    """The DSN of an empty database with pgvector, for this test alone."""
    with postgres.database() as dsn:
        yield dsn


@pytest.fixture(scope="module")
def module_database(postgres: Databases) -> Generator[str]:
    """The DSN of an empty database with pgvector, shared by the tests of one module."""
    with postgres.database() as dsn:
        yield dsn


@contextmanager
def _start() -> Generator[str]:
    # Not below pytest's own folder: only its owner can walk that one, and under root the server is another user.
    data = Path(tempfile.mkdtemp(prefix="manifold-postgres-", dir=_in_memory()))
    try:
        with server(data, throwaway=True) as running:
            yield str(running.port)
        shutil.rmtree(running.data)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _in_memory() -> Path | None:
    """Where files cost least, if there is room: each database is six hundred of them, made and removed again."""
    return _IN_MEMORY if _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free > _ROOM else None
