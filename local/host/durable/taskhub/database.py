"""The task hub's SQLite file: opened for one process, made if it is not there, refused if it is damaged.

WAL with synchronous=NORMAL: a commit is in the operating system's hands when it returns, so `kill -9` loses nothing of
it and the file can never be half written; only a power cut may undo the last commits, all of each or nothing. FULL
would pay an fsync per turn (milliseconds) for that, on a developer's machine.
"""

import shutil
import sqlite3
from pathlib import Path

from local.host.core.errors import ConfigurationError
from local.host.core.logs import host_log
from local.host.durable.taskhub.journal import damage

SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE instances (
    id TEXT PRIMARY KEY, execution_id TEXT NOT NULL, name TEXT NOT NULL, version TEXT, input TEXT,
    created TEXT NOT NULL, updated TEXT NOT NULL, generation INTEGER, parent_id TEXT, status TEXT NOT NULL,
    output TEXT, custom_status TEXT, fresh INTEGER NOT NULL, notes TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX instances_by_status ON instances (status);
CREATE TABLE history (
    instance_id TEXT NOT NULL, position INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (instance_id, position)
) WITHOUT ROWID;
CREATE TABLE inbox (
    number INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT, event TEXT NOT NULL
);
CREATE TABLE activities (
    number INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL, event_id INTEGER NOT NULL,
    name TEXT NOT NULL, input TEXT
);
CREATE TABLE timers (
    number INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT, fire_at TEXT NOT NULL, event TEXT NOT NULL
);
CREATE INDEX inbox_by_instance ON inbox (instance_id);
CREATE INDEX activities_by_instance ON activities (instance_id);
CREATE INDEX timers_by_instance ON timers (instance_id);
"""
# By the time of creation; without the Z a whole second sorts before its fractions.
_BY_CREATION = "CREATE INDEX IF NOT EXISTS instances_by_creation ON instances (rtrim(created, 'Z'))"


class HubUnusable(ConfigurationError):
    """The task hub's file cannot be used; the message names it and the remedy."""


def open_database(path: Path) -> sqlite3.Connection:
    """The connection, in autocommit mode. Raises HubUnusable."""
    if path.exists() and not path.is_file():
        raise HubUnusable(f"The task hub {path} is not a file. Move it away, or pass --data with another folder.")
    journal = path.with_name(f"{path.name}-wal")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        left = journal.exists() and journal.stat().st_size > 0
        database = sqlite3.connect(path, isolation_level=None, timeout=0.5, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise HubUnusable(f"The task hub {path} cannot be opened: {error}. Pass --data with another folder.") from error
    try:
        _prepare(database, path, journal if left else None)
    except sqlite3.Error as error:
        database.close()
        raise HubUnusable(_reason(path, error)) from error
    except BaseException:
        database.close()
        raise
    return database


def _prepare(database: sqlite3.Connection, path: Path, journal: Path | None) -> None:
    # Exclusive locking keeps a second host away and spares the shared-memory file.
    database.execute("PRAGMA locking_mode=EXCLUSIVE")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    if journal is not None:
        _check_journal(database, journal)
    database.execute("BEGIN IMMEDIATE")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        for statement in _SCHEMA.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    elif version != SCHEMA_VERSION:
        raise HubUnusable(
            f"The task hub {path} was written by another version of the local host (format {version}, this is "
            f"{SCHEMA_VERSION}). Delete the file to start anew, or run that version."
        )
    database.execute(_BY_CREATION)
    database.execute("COMMIT")


def _check_journal(database: sqlite3.Connection, journal: Path) -> None:
    """Say what of the last process's commits is lost, and keep it for whoever can make use of it."""
    log = journal.read_bytes()
    _, recovered, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    found = damage(log, max(recovered, 0))
    if found is None:
        return
    copy = journal.with_name(f"{journal.name}.damaged")
    shutil.copyfile(journal, copy)
    host_log.error(
        "The journal %s of the task hub is damaged: %s. What was committed there last is lost: look at the "
        "orchestrations and start again what is missing. The journal as it was is kept in %s.",
        *(journal, found, copy),
    )


def unreadable(path: Path, error: Exception) -> str:
    """What is said of a file that holds something else than a task hub."""
    return (
        f"The task hub {path} is damaged: {error}. Restore it from a copy, or move it away (with its -wal file) to "
        "start with an empty one."
    )


def _reason(path: Path, error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return (
            f"The task hub {path} is used by another process. Stop the other host, choose another hubName, or pass "
            "--data with another folder."
        )
    if isinstance(error, sqlite3.OperationalError):
        return f"The task hub {path} cannot be opened: {error}. Pass --data with another folder."
    return unreadable(path, error)
