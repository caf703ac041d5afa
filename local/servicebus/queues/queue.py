"""The rules of one queue, on SQLite, without any network.

Nothing is held in memory: every operation is one transaction that first brings the rows up to the present (`_advance`),
so what a queue does depends on its rows and the clock alone, and a process killed at any moment loses nothing that it
has answered.

Rules: "Message transfers, locks, and settlement", "Overview of Service Bus dead-letter queues", "Message expiration",
"Message sequencing and timestamps" and "Duplicate detection" in the documentation of Azure Service Bus.
"""

import sqlite3
import uuid
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from local.servicebus.queues.rows import ACTIVE, DEFERRED, SCHEDULED, Delivery, Rows
from local.servicebus.queues.settings import DEAD_LETTERS, QueueSettings

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
        self._rows = Rows(database, settings.name)
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
            oldest = self._rows.read("state = 0 AND lock_token IS NULL ORDER BY sequence LIMIT 1")
            return self._hand_out(oldest[0], now, delete=delete) if oldest else None

    def receive_deferred(self, sequences: Sequence[int], *, delete: bool = False) -> list[Delivery]:
        """Lock and return these deferred messages, or with `delete` take them out.

        Raises:
            MessageNotFoundError: one of them is not a deferred, unlocked message of this queue.
        """
        with self._transaction() as now:
            return [self._hand_out(self._deferred(sequence), now, delete=delete) for sequence in sequences]

    def settle(
        self, token: uuid.UUID, outcome: Outcome, *, reason: str | None = None, description: str | None = None
    ) -> None:
        """End a delivery. `reason` and `description` go with a dead letter.

        Raises:
            LockLostError: the token locks nothing any more.
        """
        with self._transaction():
            sequence = self._locked(token)
            if outcome == "complete":
                self._rows.delete(sequence)
            elif outcome == "release":
                self._rows.unlock(sequence, attempts=0)
            elif outcome == "defer":
                self._rows.unlock(sequence, attempts=1, state=DEFERRED)
            elif outcome == "dead-letter":
                self._rows.unlock(sequence, attempts=1)
                self._dead_letter(sequence, reason, description)
            else:
                self._fail(sequence)

    def renew(self, tokens: Sequence[uuid.UUID]) -> list[int]:
        """Lock anew for the full lock duration; when each lock now ends.

        Raises:
            LockLostError: a token locks nothing any more; none is renewed.
        """
        with self._transaction() as now:
            until = now + self.settings.lock_duration
            for token in tokens:
                self._rows.lock(self._locked(token), until)
            return [until] * len(tokens)

    def cancel(self, sequences: Sequence[int]) -> None:
        """Take scheduled messages out, all or none.

        Raises:
            MessageNotFoundError: one of them is not a scheduled message of this queue.
        """
        with self._transaction():
            for sequence in sequences:
                if not self._rows.find("sequence = ? AND state = 2", sequence):
                    raise MessageNotFoundError
                self._rows.delete(sequence)

    def peek(self, from_sequence: int, limit: int) -> list[Delivery]:
        """Messages in any state, locked ones too, from this sequence number on; nothing changes."""
        with self._transaction():
            return self._rows.read("sequence >= ? ORDER BY sequence LIMIT ?", from_sequence, limit)

    def counts(self) -> Counts:
        with self._transaction():
            rows = self._rows.count([self.name, self.name + DEAD_LETTERS])
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
        return self._rows.next_change()

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
        for sequence in self._rows.find("state = 2 AND enqueued_at <= ? ORDER BY enqueued_at, sequence", now):
            self._rows.enqueue(sequence)
        for sequence in self._rows.find("lock_token IS NOT NULL AND locked_until <= ? ORDER BY sequence", now):
            self._fail(sequence)
        for sequence in self._rows.find("lock_token IS NULL AND expires_at <= ? ORDER BY sequence", now):
            if self.settings.dead_letter_expired:
                self._dead_letter(sequence, "TTLExpiredException", "The message expired and was dead lettered.")
            else:
                self._rows.delete(sequence)
        self._rows.forget(now)

    def _store(self, message: Incoming, now: int) -> int:
        key, window = message.duplicate_key, self.settings.duplicate_window
        if key is not None and window is not None:
            first = self._rows.first_with(key)
            if first is not None:
                return first
        lives = [life for life in (message.time_to_live, self.settings.time_to_live) if life is not None]
        due = message.scheduled_for
        state, at = (SCHEDULED, due) if due is not None and due > now else (ACTIVE, now)
        sequence = self._rows.insert(state, message.payload, at, min(lives, default=None))
        if key is not None and window is not None:
            self._rows.remember(key, sequence, now + window)
        return sequence

    def _hand_out(self, message: Delivery, now: int, *, delete: bool) -> Delivery:
        if delete:
            self._rows.delete(message.sequence)
            return message
        self._rows.lock(message.sequence, now + self.settings.lock_duration)
        return self._rows.read("sequence = ?", message.sequence)[0]

    def _deferred(self, sequence: int) -> Delivery:
        found = self._rows.read("sequence = ? AND state = 1 AND lock_token IS NULL", sequence)
        if not found:
            raise MessageNotFoundError
        return found[0]

    def _locked(self, token: uuid.UUID) -> int:
        found = self._rows.find("lock_token = ?", token.bytes)
        if not found:
            raise LockLostError
        return found[0]

    def _fail(self, sequence: int) -> None:
        """End a delivery that came to nothing: the message is free again, or given up after too many of them."""
        self._rows.unlock(sequence, attempts=1)
        attempts = self._rows.read("sequence = ?", sequence)[0].delivery_count
        most = self.settings.max_delivery_count
        if most is not None and attempts >= most:
            text = f"Message could not be consumed after {attempts} delivery attempts."
            self._dead_letter(sequence, "MaxDeliveryCountExceeded", text)

    def _dead_letter(self, sequence: int, reason: str | None, description: str | None) -> None:
        """Move to the dead-letter queue; one that is dead-lettered there stays there."""
        target = self.name if self.is_dead_letters else self.settings.dead_letters().name
        self._rows.move(sequence, target, reason, description)
