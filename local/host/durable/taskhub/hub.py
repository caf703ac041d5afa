"""The task hub's rows: everything that must outlive the process, and nothing else."""

import json
import sqlite3
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from local.host.core.database import DatabaseUnusable, close_database, open_database, unreadable
from local.host.durable.model.events import Event
from local.host.durable.model.records import FINISHED, Activity, Instance, Message, Timer

ROWS_AT_ONCE = 1000
NAME = "task hub"
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS instances (
    id TEXT PRIMARY KEY, execution_id TEXT NOT NULL, name TEXT NOT NULL, version TEXT, input TEXT,
    created TEXT NOT NULL, updated TEXT NOT NULL, generation INTEGER, parent_id TEXT, status TEXT NOT NULL,
    output TEXT, custom_status TEXT, fresh INTEGER NOT NULL, notes TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS instances_by_status ON instances (status);
CREATE TABLE IF NOT EXISTS history (
    instance_id TEXT NOT NULL, position INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (instance_id, position)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inbox (
    number INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT, event TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS activities (
    number INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT NOT NULL, event_id INTEGER NOT NULL,
    name TEXT NOT NULL, input TEXT
);
CREATE TABLE IF NOT EXISTS timers (
    number INTEGER PRIMARY KEY, instance_id TEXT NOT NULL, execution_id TEXT, fire_at TEXT NOT NULL, event TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS inbox_by_instance ON inbox (instance_id);
CREATE INDEX IF NOT EXISTS activities_by_instance ON activities (instance_id);
CREATE INDEX IF NOT EXISTS timers_by_instance ON timers (instance_id);
-- By the time of creation; without the Z a whole second sorts before its fractions.
CREATE INDEX IF NOT EXISTS instances_by_creation ON instances (rtrim(created, 'Z'));
"""
_COLUMNS = (
    "id, execution_id, name, version, input, created, updated, generation, parent_id, status, output, custom_status, "
    "fresh, notes"
)


class Hub:
    """The store of one task hub. Every change happens inside `transaction()`; numbers are given out in memory."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises DatabaseUnusable."""
        self._db = open_database(path, _SCHEMA, NAME, _VERSION)
        try:
            self._next_number = 1 + max(
                self._db.execute(f"SELECT coalesce(max(number), 0) FROM {table}").fetchone()[0]  # noqa: S608 - our names
                for table in ("inbox", "activities", "timers")
            )
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise DatabaseUnusable(unreadable(path, NAME, error)) from error

    def close(self) -> None:
        """Close the file."""
        close_database(self._db)

    def number(self) -> int:
        """A number no row of the inbox, the activities and the timers has had in this process."""
        taken = self._next_number
        self._next_number += 1
        return taken

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """All changes inside are kept together, or none of them is, whichever statement fails.

        Nothing in memory may change before the block has ended.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # after some errors SQLite has rolled back by itself
                self._db.execute("ROLLBACK")
            raise

    # -- writing

    def save_instance(self, one: Instance) -> None:
        self._db.execute(
            f"INSERT OR REPLACE INTO instances ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",  # noqa: S608 - our names
            (
                one.instance_id,
                one.execution_id,
                one.name,
                one.version,
                one.input_text,
                one.created,
                one.updated,
                one.generation,
                one.parent_instance_id,
                one.status,
                one.output,
                one.custom_status,
                one.fresh,
                json.dumps(one.notes),
            ),
        )

    def append_history(self, instance_id: str, position: int, texts: Iterable[str]) -> None:
        self._insert("history", [(instance_id, place, text) for place, text in enumerate(texts, position)])

    def _insert(self, table: str, rows: list[tuple[object, ...]]) -> None:
        """Many rows in one statement: between statements sqlite3 lets other threads in, which costs more than a row."""
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            marks = ",".join(["(" + ",".join("?" * len(some[0])) + ")"] * len(some))
            values = [value for row in some for value in row]
            self._db.execute(f"INSERT INTO {table} VALUES {marks}", values)  # noqa: S608 - our names

    def clear_history(self, instance_id: str) -> None:
        self._db.execute("DELETE FROM history WHERE instance_id=?", (instance_id,))

    def add_messages(self, messages: Iterable[Message]) -> None:
        self._insert(
            "inbox", [(one.number, one.instance_id, one.execution_id, json.dumps(one.event)) for one in messages]
        )

    def take_messages(self, messages: Iterable[Message]) -> None:
        """Delete what a turn consumed: rows of the inbox, or of the timers that brought them."""
        messages = list(messages)
        self._delete("inbox", [one.number for one in messages if one.number is not None])
        self._delete("timers", [one.timer for one in messages if one.timer is not None])

    def _delete(self, table: str, numbers: list[int]) -> None:
        if numbers:
            marks = json.dumps(numbers)
            query = f"DELETE FROM {table} WHERE number IN (SELECT value FROM json_each(?))"  # noqa: S608 - our names
            self._db.execute(query, (marks,))

    def add_activities(self, activities: Iterable[Activity]) -> None:
        self._insert(
            "activities",
            [
                (one.number, one.instance_id, one.execution_id, one.event_id, one.name, one.input_text)
                for one in activities
            ],
        )

    def take_activities(self, numbers: Iterable[int]) -> None:
        self._delete("activities", list(numbers))

    def add_timers(self, timers: Iterable[Timer]) -> None:
        self._insert(
            "timers",
            [(one.number, one.instance_id, one.execution_id, one.fire_at, json.dumps(one.event)) for one in timers],
        )

    def clear_timers(self, instance_id: str, execution_id: str) -> None:
        """Delete what an execution that ended still had set."""
        self._db.execute("DELETE FROM timers WHERE instance_id=? AND execution_id=?", (instance_id, execution_id))

    def forget(self, instance_id: str) -> None:
        """Delete an instance and everything that belongs to it."""
        for table, column in (
            ("instances", "id"),
            ("history", "instance_id"),
            ("inbox", "instance_id"),
            ("activities", "instance_id"),
            ("timers", "instance_id"),
        ):
            self._db.execute(f"DELETE FROM {table} WHERE {column}=?", (instance_id,))  # noqa: S608 - our names

    # -- reading

    def instance(self, instance_id: str) -> Instance | None:
        """One instance without its history."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM instances WHERE id=?", (instance_id,)).fetchone()  # noqa: S608 - our names
        return None if row is None else _instance(row)

    def instances(self) -> Generator[Instance, None, None]:
        """All instances in the order of their ids, without their histories."""
        for row in self._db.execute(f"SELECT {_COLUMNS} FROM instances ORDER BY id"):  # noqa: S608 - our names
            yield _instance(row)

    def newest(self, limit: int, *, entities: bool) -> list[Instance]:
        """The orchestrations created last, or the entities used last, the newest first, without their histories."""
        # An entity is named by its id, an orchestration by its function; see Instance.is_entity.
        query = (
            f"SELECT {_COLUMNS} FROM instances WHERE (name = id AND name LIKE '@%') = ? "  # noqa: S608 - our names
            "ORDER BY rtrim(created, 'Z') DESC LIMIT ?"
        )
        return [_instance(row) for row in self._db.execute(query, (entities, limit))]

    def unfinished(self) -> list[Instance]:
        marks = ",".join("?" * len(FINISHED))
        query = f"SELECT {_COLUMNS} FROM instances WHERE status NOT IN ({marks})"  # noqa: S608 - our names
        return [_instance(row) for row in self._db.execute(query, tuple(FINISHED))]

    def history(self, instance_id: str) -> list[str]:
        query = "SELECT event FROM history WHERE instance_id=? ORDER BY position"
        return [text for (text,) in self._db.execute(query, (instance_id,))]

    def messages(self) -> list[Message]:
        query = "SELECT number, instance_id, execution_id, event FROM inbox ORDER BY number"
        return [Message(row[1], row[2], json.loads(row[3]), number=row[0]) for row in self._db.execute(query)]

    def activities(self) -> list[Activity]:
        query = "SELECT number, instance_id, execution_id, event_id, name, input FROM activities ORDER BY number"
        return [Activity(*row) for row in self._db.execute(query)]

    def timers(self) -> list[Timer]:
        query = "SELECT number, instance_id, execution_id, fire_at, event FROM timers ORDER BY number"
        return [Timer(row[0], row[1], row[2], row[3], json.loads(row[4])) for row in self._db.execute(query)]


def _instance(row: tuple[object, ...]) -> Instance:
    one = Instance(*row[:7])  # pyright: ignore[reportArgumentType] - the columns have these types
    one.generation, one.parent_instance_id, one.status, one.output, one.custom_status = row[7:12]  # pyright: ignore[reportAttributeAccessIssue] - the columns have these types
    one.fresh = bool(row[12])
    one.notes = json.loads(str(row[13]))
    return one


def load_events(texts: Iterable[str]) -> list[Event]:
    """Events from their JSON."""
    return [json.loads(text) for text in texts]
