"""A SQLite file that one process keeps its data in: made whole, opened for it alone, refused if it is damaged.

WAL with synchronous=NORMAL: a commit is in the operating system's hands when it returns, so `kill -9` loses nothing of
it and the file can never be half written; only a power cut may undo the last commits, all of each or nothing. FULL
would pay an fsync per commit (milliseconds) for that, on a developer's machine.

A file that is not there is made whole and then given its name, so an empty one is always a damaged one. While a process
has the file open, its `application_id` says so: what is left by a kill has a journal (its write-ahead log), and if that
is missing or empty, commits may be lost.
"""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Final

from local.host.core.errors import ConfigurationError
from local.host.core.folders import ONLY_MINE
from local.host.core.journal import damage
from local.host.core.logs import host_log

_CLOSED: Final = 0
_OPEN: Final = 1


class DatabaseUnusable(ConfigurationError):
    """The file cannot be used; the message names it and the remedy."""


def open_database(path: Path, schema: str, name: str, version: int = 0) -> sqlite3.Connection:
    """The connection, in autocommit mode; end it with `close_database`.

    Args:
        path: the file; it and its folder are made if they are not there.
        schema: statements that may run at every start, as CREATE TABLE IF NOT EXISTS.
        name: what the file is to its user, for messages: "task hub".
        version: of the schema; a file of another one is left alone.

    Raises:
        DatabaseUnusable: another process has it open, it is damaged or of another version, or no file can be there.
    """
    journal = path.with_name(f"{path.name}-wal")
    try:
        left = journal.is_file() and journal.stat().st_size > 0
        _find_or_make(path, f"{schema};PRAGMA user_version={version}", name, with_journal=left)
        database = sqlite3.connect(path, isolation_level=None, timeout=0.5, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise DatabaseUnusable(
            f"The {name} {path} cannot be opened: {error}. Pass --data with another folder."
        ) from error
    try:
        _lock(database)
        _check_journal(database, name, journal, left=left)
        _check_version(database, path, name, version)
        _check_tables(database, path, name, schema)
        _take(database, schema)
    except sqlite3.Error as error:
        database.close()
        raise DatabaseUnusable(_reason(path, name, error)) from error
    except BaseException:
        database.close()
        raise
    return database


def close_database(database: sqlite3.Connection) -> None:
    """Fold the journal into the file and close it."""
    try:
        # The journal is written from its beginning again, so a full disk has room for the last commit.
        database.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()
        database.execute(f"PRAGMA application_id={_CLOSED}")
    except sqlite3.Error as error:
        host_log.warning("A database could not be closed in good order: %s. The next start looks at it.", error)
    finally:
        database.close()


def unreadable(path: Path, name: str, why: object) -> str:
    """What is said of a file that holds something else than it should."""
    return (
        f"The {name} {path} is damaged: {why}. Restore it from a copy, or move it away (with its -wal file) to start "
        "with an empty one."
    )


def _find_or_make(path: Path, schema: str, name: str, *, with_journal: bool) -> None:
    if path.exists():
        if not path.is_file():
            raise DatabaseUnusable(
                f"The {name} {path} is not a file. Move it away, or pass --data with another folder."
            )
        if path.stat().st_size == 0:
            raise DatabaseUnusable(unreadable(path, name, "it is empty, as a full disk leaves a file"))
    elif with_journal:
        raise DatabaseUnusable(unreadable(path, name, "it is missing, and its -wal file is there"))
    else:
        path.parent.mkdir(mode=ONLY_MINE, parents=True, exist_ok=True)
        _make(path, schema)


def _make(path: Path, schema: str) -> None:
    memory = sqlite3.connect(":memory:")
    memory.executescript(schema)
    content = memory.serialize()
    memory.close()
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}-") as draft:
        draft.write(content)
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return  # another process made it at the same moment: which of the two may use it is decided by its lock


def _lock(database: sqlite3.Connection) -> None:
    # Exclusive locking keeps a second process away and spares the shared-memory file.
    database.execute("PRAGMA locking_mode=EXCLUSIVE")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")


def _check_journal(database: sqlite3.Connection, name: str, journal: Path, *, left: bool) -> None:
    """Say what of the last process's commits is lost; a file that does not hold together without them is refused."""
    if left:
        found = _damage(database, journal)
    else:
        was_open = database.execute("PRAGMA application_id").fetchone()[0] == _OPEN
        found = "it is missing or empty after a kill" if was_open else None
    if found is None:
        return
    host_log.error(
        "The journal %s of the %s is damaged: %s. What was committed there last is lost, unless another program has "
        "opened the file since: look for what is missing, and start it again.",
        *(journal, name, found),
    )
    [state] = database.execute("PRAGMA quick_check(1)").fetchone()
    if state != "ok":
        raise sqlite3.DatabaseError(state)


def _check_version(database: sqlite3.Connection, path: Path, name: str, version: int) -> None:
    [found] = database.execute("PRAGMA user_version").fetchone()
    if found != version:
        raise DatabaseUnusable(
            f"The {name} {path} was written by another version (format {found}, this is {version}). Move it away to "
            "start with an empty one, or run that version."
        )


def _check_tables(database: sqlite3.Connection, path: Path, name: str, schema: str) -> None:
    """A file with none of these tables is another program's; one with some of them is an older one, which grows."""
    ours = sqlite3.connect(":memory:")
    ours.executescript(schema)
    wanted, found = _tables(ours), _tables(database)
    ours.close()
    if not wanted & found:
        raise DatabaseUnusable(
            f"The {name} {path} has none of its tables: it is another program's file. Move it away to start with an "
            "empty one, or pass --data with another folder."
        )


def _tables(database: sqlite3.Connection) -> set[str]:
    return {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _take(database: sqlite3.Connection, schema: str) -> None:
    database.executescript(schema)
    database.execute(f"PRAGMA application_id={_OPEN}")
    # From here on the file itself says that it has a journal.
    database.execute("PRAGMA wal_checkpoint(FULL)").fetchall()


def _damage(database: sqlite3.Connection, journal: Path) -> str | None:
    """What is wrong with the last process's journal; it is kept for whoever can make use of it."""
    log = journal.read_bytes()
    _, recovered, _ = database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    found = damage(log, max(recovered, 0))
    if found is None:
        return None
    copy = journal.with_name(f"{journal.name}.damaged")
    shutil.copyfile(journal, copy)
    return f"{found}. As it was, it is kept in {copy}"


def _reason(path: Path, name: str, error: sqlite3.Error) -> str:
    if "locked" in str(error):
        return f"The {name} {path} is used by another process. Stop that one, or pass --data with another folder."
    if isinstance(error, sqlite3.OperationalError):
        return f"The {name} {path} cannot be opened: {error}. Pass --data with another folder."
    return unreadable(path, name, error)
