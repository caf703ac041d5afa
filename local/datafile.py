"""The SQLite file that a local service keeps its data in."""

import sqlite3
from pathlib import Path

from local.host.core.folders import ONLY_MINE


class DataInUseError(Exception):
    """Another process has the data folder open."""


def open_database(path: Path, schema: str) -> sqlite3.Connection:
    """Open or create the file, in autocommit mode, for this process alone.

    A commit survives the end of the process however it comes; with synchronous=NORMAL the last ones may be lost only
    when the machine itself loses power.

    Raises:
        DataInUseError: another process has it open.
    """
    path.parent.mkdir(mode=ONLY_MINE, parents=True, exist_ok=True)
    database = sqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.executescript(schema)
    except sqlite3.OperationalError as error:
        database.close()
        raise DataInUseError(f"{path.parent} is in use by another process. Stop that one or pass --data.") from error
    return database
