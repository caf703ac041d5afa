"""The messages of the queues as rows of SQLite: what is stored and found, with none of the rules of a queue."""

import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

ACTIVE, DEFERRED, SCHEDULED = 0, 1, 2
SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    state INTEGER NOT NULL,
    payload BLOB NOT NULL,
    enqueued_at INTEGER NOT NULL,
    expires_at INTEGER,
    delivery_count INTEGER NOT NULL DEFAULT 0,
    lock_token BLOB,
    locked_until INTEGER,
    dead_letter_reason TEXT,
    dead_letter_description TEXT
);
-- The tokens' index leaves out the rows without one: with them in it, SQLite would walk through all unlocked messages.
CREATE UNIQUE INDEX IF NOT EXISTS token ON message (lock_token) WHERE lock_token IS NOT NULL;
CREATE INDEX IF NOT EXISTS ready ON message (queue, sequence) WHERE state = 0 AND lock_token IS NULL;
CREATE INDEX IF NOT EXISTS locked ON message (queue, locked_until) WHERE lock_token IS NOT NULL;
CREATE INDEX IF NOT EXISTS due ON message (queue, enqueued_at) WHERE state = 2;
CREATE INDEX IF NOT EXISTS expiring ON message (queue, expires_at) WHERE lock_token IS NULL;
CREATE TABLE IF NOT EXISTS seen (
    queue TEXT NOT NULL,
    duplicate_key TEXT NOT NULL,
    forget_at INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (queue, duplicate_key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS forgetting ON seen (queue, forget_at);
"""
_COLUMNS = (
    "sequence, state, payload, enqueued_at, expires_at, delivery_count, lock_token, locked_until, "
    "dead_letter_reason, dead_letter_description"
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored message as it stands. Times are milliseconds since 1970; without a lock, the lock's fields are None."""

    sequence: int
    state: int
    payload: bytes
    enqueued_at: int
    expires_at: int | None
    delivery_count: int
    lock_token: uuid.UUID | None
    locked_until: int | None
    dead_letter_reason: str | None
    dead_letter_description: str | None


class Rows:
    """The rows of one queue. Each method is a part of the caller's transaction."""

    def __init__(self, database: sqlite3.Connection, queue: str) -> None:
        self._database = database
        self._queue = queue

    def find(self, condition: str, *values: Any) -> list[int]:
        """The sequence numbers for which an SQL condition holds, in their order."""
        rows = self._database.execute(
            f"SELECT sequence FROM message WHERE queue = ? AND {condition}",  # noqa: S608 - our own constant text
            (self._queue, *values),
        )
        return [row[0] for row in rows.fetchall()]

    def read(self, condition: str, *values: Any) -> list[Delivery]:
        """The messages for which an SQL condition holds."""
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM message WHERE queue = ? AND {condition}",  # noqa: S608 - as above
            (self._queue, *values),
        )
        return [_delivery(row) for row in rows.fetchall()]

    def insert(self, state: int, payload: bytes, enqueued_at: int, time_to_live: int | None) -> int:
        """Store a message; its sequence number, larger than any before."""
        expires_at = None if time_to_live is None else enqueued_at + time_to_live
        cursor = self._database.execute(
            "INSERT INTO message (queue, state, payload, enqueued_at, expires_at) VALUES (?, ?, ?, ?, ?)",
            (self._queue, state, payload, enqueued_at, expires_at),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def enqueue(self, sequence: int) -> None:
        """Make a scheduled message active, under a new sequence number."""
        self._database.execute(
            "INSERT INTO message (queue, state, payload, enqueued_at, expires_at) "
            "SELECT queue, 0, payload, enqueued_at, expires_at FROM message WHERE sequence = ?",
            (sequence,),
        )
        self.delete(sequence)

    def delete(self, sequence: int) -> None:
        self._database.execute("DELETE FROM message WHERE sequence = ?", (sequence,))

    def lock(self, sequence: int, until: int) -> None:
        self._database.execute(
            "UPDATE message SET lock_token = coalesce(lock_token, ?), locked_until = ? WHERE sequence = ?",
            (uuid.uuid4().bytes, until, sequence),
        )

    def unlock(self, sequence: int, *, attempts: int, state: int | None = None) -> None:
        """Take the lock off, count `attempts` more deliveries and, if given, change the state."""
        self._database.execute(
            "UPDATE message SET lock_token = NULL, locked_until = NULL, delivery_count = delivery_count + ?, "
            "state = coalesce(?, state) WHERE sequence = ?",
            (attempts, state, sequence),
        )

    def move(self, sequence: int, queue: str, reason: str | None, description: str | None) -> None:
        """Put a message into a dead-letter queue, where it is active and does not expire."""
        self._database.execute(
            "UPDATE message SET queue = ?, state = 0, expires_at = NULL, "
            "dead_letter_reason = ?, dead_letter_description = ? WHERE sequence = ?",
            (queue, reason, description, sequence),
        )

    def next_change(self) -> int | None:
        """The earliest end of a lock, enqueueing or expiry."""
        row = self._database.execute(
            "SELECT min(at) FROM ("
            "SELECT min(locked_until) AS at FROM message WHERE queue = :queue AND lock_token IS NOT NULL "
            "UNION ALL SELECT min(enqueued_at) FROM message WHERE queue = :queue AND state = 2 "
            "UNION ALL SELECT min(expires_at) FROM message WHERE queue = :queue AND lock_token IS NULL)",
            {"queue": self._queue},
        ).fetchone()
        return row[0]

    def count(self, queues: Sequence[str]) -> list[tuple[str, int, int, int]]:
        """For each of the queues and each state: the number of messages and of their bytes."""
        marks = ", ".join("?" * len(queues))
        return self._database.execute(
            f"SELECT queue, state, count(*), sum(length(payload)) FROM message WHERE queue IN ({marks}) "  # noqa: S608 - marks
            "GROUP BY queue, state",
            tuple(queues),
        ).fetchall()

    def first_with(self, duplicate_key: str) -> int | None:
        """The sequence number that this key was first sent under, if that is remembered."""
        row = self._database.execute(
            "SELECT sequence FROM seen WHERE queue = ? AND duplicate_key = ?", (self._queue, duplicate_key)
        ).fetchone()
        return None if row is None else row[0]

    def remember(self, duplicate_key: str, sequence: int, until: int) -> None:
        self._database.execute(
            "INSERT INTO seen (queue, duplicate_key, forget_at, sequence) VALUES (?, ?, ?, ?)",
            (self._queue, duplicate_key, until, sequence),
        )

    def forget(self, now: int) -> None:
        self._database.execute("DELETE FROM seen WHERE queue = ? AND forget_at <= ?", (self._queue, now))


def _delivery(row: tuple[Any, ...]) -> Delivery:
    sequence, state, payload, enqueued_at, expires_at, attempts, token, *rest = row
    lock_token = None if token is None else uuid.UUID(bytes=token)
    return Delivery(sequence, state, payload, enqueued_at, expires_at, attempts, lock_token, *rest)
