"""The rules of one queue, on SQLite, without any network.

A message is a row. It is active (0), deferred (1) or scheduled (2), and may be locked by a receiver. Nothing is held in
memory: every operation is one transaction that first brings the rows up to the present (`_advance`), so what a queue
does depends on its rows and the clock alone, and a process killed at any moment loses nothing that it has answered.

Rules: "Message transfers, locks, and settlement", "Overview of Service Bus dead-letter queues", "Message expiration",
"Message sequencing and timestamps" and "Duplicate detection" in the documentation of Azure Service Bus.
"""

import sqlite3
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from local.servicebus.settings import DEAD_LETTERS, QueueSettings

ACTIVE, DEFERRED, SCHEDULED = 0, 1, 2
SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    state INTEGER NOT NULL,
    payload BLOB NOT NULL,
    enqueued_at INTEGER NOT NULL,
    time_to_live INTEGER,
    expires_at INTEGER,
    delivery_count INTEGER NOT NULL DEFAULT 0,
    lock_token BLOB UNIQUE,
    locked_until INTEGER,
    dead_letter_reason TEXT,
    dead_letter_description TEXT
);
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

Outcome = Literal["complete", "release", "abandon", "defer", "dead-letter"]


class LockLostError(Exception):
    """The lock token is unknown: the lock has expired, or the message is settled."""


class MessageNotFoundError(Exception):
    """No message of the wanted state has this sequence number."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message to be stored. `payload` is opaque here; times are milliseconds."""

    payload: bytes
    duplicate_key: str | None = None
    time_to_live: int | None = None
    scheduled_for: int | None = None


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


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages a queue holds. Locked ones count as active; `size` is bytes, the dead letters' included."""

    active: int
    scheduled: int
    dead_letter: int
    size: int

    @property
    def total(self) -> int:
        return self.active + self.scheduled + self.dead_letter


class Queue:
    """One queue, or the dead-letter sub-queue of one."""

    def __init__(self, database: sqlite3.Connection, settings: QueueSettings, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock
        self.settings = settings
        self.name = settings.name
        self.is_dead_letters = settings.name.endswith(DEAD_LETTERS)

    def send(self, messages: Sequence[Incoming]) -> list[int]:
        """Store the messages, all or none; their sequence numbers. A duplicate gets the number of the first one."""
        with self._transaction() as now:
            return [self._store(message, now) for message in messages]

    def receive(self, *, delete: bool = False) -> Delivery | None:
        """Lock and return the oldest active message, or with `delete` take it out; None if there is none."""
        with self._transaction() as now:
            row = self._database.execute(
                "SELECT sequence FROM message WHERE queue = ? AND state = 0 AND lock_token IS NULL "
                "ORDER BY sequence LIMIT 1",
                (self.name,),
            ).fetchone()
            return None if row is None else self._hand_out(row[0], now, delete=delete)

    def receive_deferred(self, sequences: Sequence[int], *, delete: bool = False) -> list[Delivery]:
        """Lock and return these deferred messages, or with `delete` take them out.

        Raises:
            MessageNotFoundError: one of them is not a deferred, unlocked message of this queue.
        """
        with self._transaction() as now:
            for sequence in sequences:
                self._require(sequence, "state = 1 AND lock_token IS NULL")
            return [self._hand_out(sequence, now, delete=delete) for sequence in sequences]

    def settle(
        self, token: uuid.UUID, outcome: Outcome, *, reason: str | None = None, description: str | None = None
    ) -> None:
        """End a delivery. `reason` and `description` go with a dead letter.

        Raises:
            LockLostError: the token locks nothing any more.
        """
        with self._transaction():
            row = self._database.execute(
                "SELECT sequence FROM message WHERE queue = ? AND lock_token = ?", (self.name, token.bytes)
            ).fetchone()
            if row is None:
                raise LockLostError
            sequence: int = row[0]
            if outcome == "complete":
                self._delete(sequence)
            elif outcome == "release":
                self._unlock(sequence, attempts=0)
            elif outcome == "defer":
                self._unlock(sequence, attempts=1, state=DEFERRED)
            elif outcome == "dead-letter":
                self._unlock(sequence, attempts=1)
                self._dead_letter(sequence, reason, description)
            else:
                self._unlock(sequence, attempts=1)
                self._give_up_spent([sequence])

    def renew(self, tokens: Sequence[uuid.UUID]) -> list[int]:
        """Lock anew for the full lock duration; when each lock now ends.

        Raises:
            LockLostError: a token locks nothing any more; none is renewed.
        """
        with self._transaction() as now:
            until = now + self.settings.lock_duration
            for token in tokens:
                changed = self._database.execute(
                    "UPDATE message SET locked_until = ? WHERE queue = ? AND lock_token = ?",
                    (until, self.name, token.bytes),
                )
                if changed.rowcount == 0:
                    raise LockLostError
            return [until] * len(tokens)

    def cancel(self, sequences: Sequence[int]) -> None:
        """Take scheduled messages out, all or none.

        Raises:
            MessageNotFoundError: one of them is not a scheduled message of this queue.
        """
        with self._transaction():
            for sequence in sequences:
                self._require(sequence, "state = 2")
                self._delete(sequence)

    def peek(self, from_sequence: int, limit: int) -> list[Delivery]:
        """Messages in any state, locked ones too, from this sequence number on; nothing changes."""
        with self._transaction():
            rows = self._database.execute(
                f"SELECT {_COLUMNS} FROM message WHERE queue = ? AND sequence >= ? ORDER BY sequence LIMIT ?",  # noqa: S608 - constant column names
                (self.name, from_sequence, limit),
            ).fetchall()
        return [_delivery(row) for row in rows]

    def counts(self) -> Counts:
        with self._transaction():
            rows = self._database.execute(
                "SELECT queue, state, count(*), sum(length(payload)) FROM message WHERE queue IN (?, ?) "
                "GROUP BY queue, state",
                (self.name, self.name + DEAD_LETTERS),
            ).fetchall()
        own = {state: count for queue, state, count, _ in rows if queue == self.name}
        return Counts(
            active=own.get(ACTIVE, 0) + own.get(DEFERRED, 0),
            scheduled=own.get(SCHEDULED, 0),
            dead_letter=sum(count for queue, _, count, _ in rows if queue != self.name),
            size=sum(size for *_, size in rows),
        )

    def advance(self) -> None:
        """Bring the rows up to the present: free expired locks, enqueue what is due, remove what has expired."""
        with self._transaction():
            pass

    def next_change(self) -> int | None:
        """When time alone will change this queue next, in milliseconds since 1970; None if it will not."""
        row = self._database.execute(
            "SELECT min(at) FROM ("
            "SELECT min(locked_until) AS at FROM message WHERE queue = ?1 AND lock_token IS NOT NULL "
            "UNION ALL SELECT min(enqueued_at) FROM message WHERE queue = ?1 AND state = 2 "
            "UNION ALL SELECT min(expires_at) FROM message WHERE queue = ?1 AND lock_token IS NULL)",
            (self.name,),
        ).fetchone()
        return row[0]

    @contextmanager
    def _transaction(self) -> Generator[int]:
        """One transaction that begins with the present; what it yields is the present in milliseconds."""
        now = self._clock()
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._advance(now)
            yield now
        except BaseException:
            self._database.rollback()
            raise
        self._database.commit()

    def _advance(self, now: int) -> None:
        self._enqueue_due(now)
        spent = self._sequences("lock_token IS NOT NULL AND locked_until <= ?", now)
        for sequence in spent:
            self._unlock(sequence, attempts=1)
        self._give_up_spent(spent)
        for sequence in self._sequences("lock_token IS NULL AND expires_at <= ?", now):
            if self.settings.dead_letter_expired:
                self._dead_letter(sequence, "TTLExpiredException", "The message expired and was dead lettered.")
            else:
                self._delete(sequence)
        self._database.execute("DELETE FROM seen WHERE queue = ? AND forget_at <= ?", (self.name, now))

    def _sequences(self, condition: str, now: int) -> list[int]:
        rows = self._database.execute(
            f"SELECT sequence FROM message WHERE queue = ? AND {condition} ORDER BY sequence",  # noqa: S608 - constant text
            (self.name, now),
        )
        return [row[0] for row in rows.fetchall()]

    def _store(self, message: Incoming, now: int) -> int:
        window = self.settings.duplicate_window
        if window is not None and message.duplicate_key is not None:
            row = self._database.execute(
                "SELECT sequence FROM seen WHERE queue = ? AND duplicate_key = ?", (self.name, message.duplicate_key)
            ).fetchone()
            if row is not None:
                return row[0]
        lives = [life for life in (message.time_to_live, self.settings.time_to_live) if life is not None]
        waits = message.scheduled_for is not None and message.scheduled_for > now
        enqueued_at = message.scheduled_for if message.scheduled_for is not None and waits else now
        sequence = self._insert(SCHEDULED if waits else ACTIVE, message.payload, enqueued_at, min(lives, default=None))
        if window is not None and message.duplicate_key is not None:
            self._database.execute(
                "INSERT INTO seen (queue, duplicate_key, forget_at, sequence) VALUES (?, ?, ?, ?)",
                (self.name, message.duplicate_key, now + window, sequence),
            )
        return sequence

    def _insert(self, state: int, payload: bytes, enqueued_at: int, life: int | None) -> int:
        cursor = self._database.execute(
            "INSERT INTO message (queue, state, payload, enqueued_at, time_to_live, expires_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (self.name, state, payload, enqueued_at, life, None if life is None else enqueued_at + life),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def _enqueue_due(self, now: int) -> None:
        """A scheduled message joins the queue at its end, under a new sequence number."""
        rows = self._database.execute(
            "SELECT sequence, payload, enqueued_at, time_to_live FROM message "
            "WHERE queue = ? AND state = 2 AND enqueued_at <= ? ORDER BY enqueued_at, sequence",
            (self.name, now),
        ).fetchall()
        for sequence, payload, enqueued_at, life in rows:
            self._delete(sequence)
            self._insert(ACTIVE, payload, enqueued_at, life)

    def _hand_out(self, sequence: int, now: int, *, delete: bool) -> Delivery:
        if not delete:
            self._database.execute(
                "UPDATE message SET lock_token = ?, locked_until = ? WHERE sequence = ?",
                (uuid.uuid4().bytes, now + self.settings.lock_duration, sequence),
            )
        row = self._database.execute(
            f"SELECT {_COLUMNS} FROM message WHERE sequence = ?",  # noqa: S608 - constant column names
            (sequence,),
        ).fetchone()
        if delete:
            self._delete(sequence)
        return _delivery(row)

    def _require(self, sequence: int, condition: str) -> None:
        row = self._database.execute(
            f"SELECT 1 FROM message WHERE queue = ? AND sequence = ? AND {condition}",  # noqa: S608 - constant text
            (self.name, sequence),
        ).fetchone()
        if row is None:
            raise MessageNotFoundError

    def _delete(self, sequence: int) -> None:
        self._database.execute("DELETE FROM message WHERE sequence = ?", (sequence,))

    def _unlock(self, sequence: int, *, attempts: int, state: int | None = None) -> None:
        self._database.execute(
            "UPDATE message SET lock_token = NULL, locked_until = NULL, delivery_count = delivery_count + ?, "
            "state = coalesce(?, state) WHERE sequence = ?",
            (attempts, state, sequence),
        )

    def _give_up_spent(self, sequences: Sequence[int]) -> None:
        most = self.settings.max_delivery_count
        if most is None:
            return
        for sequence in sequences:
            (count,) = self._database.execute(
                "SELECT delivery_count FROM message WHERE sequence = ?", (sequence,)
            ).fetchone()
            if count >= most:
                text = f"Message could not be consumed after {count} delivery attempts."
                self._dead_letter(sequence, "MaxDeliveryCountExceeded", text)

    def _dead_letter(self, sequence: int, reason: str | None, description: str | None) -> None:
        """Move to the dead-letter queue, where nothing expires; one that is dead-lettered there stays there."""
        target = self.name if self.is_dead_letters else self.settings.dead_letters().name
        self._database.execute(
            "UPDATE message SET queue = ?, state = 0, time_to_live = NULL, expires_at = NULL, "
            "dead_letter_reason = ?, dead_letter_description = ? WHERE sequence = ?",
            (target, reason, description, sequence),
        )


def _delivery(
    row: tuple[int, int, bytes, int, int | None, int, bytes | None, int | None, str | None, str | None],
) -> Delivery:
    sequence, state, payload, enqueued_at, expires_at, count, token, until, reason, description = row
    lock_token = None if token is None else uuid.UUID(bytes=token)
    return Delivery(sequence, state, payload, enqueued_at, expires_at, count, lock_token, until, reason, description)
