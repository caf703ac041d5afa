"""Random lives of a queue beside a plain model of the rules: nothing is lost, doubled or handed to two receivers."""

import uuid
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from local.servicebus.queues.broker import Broker
from local.servicebus.queues.queue import Incoming, LockLostError, MessageNotFoundError, Queue
from local.servicebus.queues.rows import ACTIVE, DEFERRED, SCHEDULED, Delivery
from local.servicebus.queues.settings import DEAD_LETTERS, QueueSettings
from tests.in_memory import folder_in_memory

LOCK, ATTEMPTS, WINDOW = 10, 2, 40


@dataclass
class Held:
    """What the model knows of one message that some queue holds."""

    number: int
    order: int
    state: int
    life: int | None
    enqueued_at: int
    sequence: int
    dead: bool = False
    reason: str | None = None
    attempts: int = 0
    token: uuid.UUID | None = None
    until: int = 0

    @property
    def expires_at(self) -> int | None:
        return None if self.life is None or self.dead else self.enqueued_at + self.life


class QueueLife(RuleBasedStateMachine):
    tokens = Bundle("tokens")

    def __init__(self) -> None:
        super().__init__()
        self.folder = folder_in_memory()
        self.now = 1000
        self.numbers, self.orders = count(), count()
        self.held: dict[int, Held] = {}
        self.seen: dict[str, tuple[int, int]] = {}
        self.ended = 0
        self.sent = 0

    @initialize(life=st.sampled_from([None, 25]), keep=st.booleans())
    def open(self, life, keep):
        self.settings = QueueSettings("q", LOCK, ATTEMPTS, life, WINDOW, dead_letter_expired=keep)
        self.broker = self.start()

    def start(self) -> Broker:
        broker = Broker(Path(self.folder.name), [self.settings], lambda: self.now)
        self.queue, self.dead = self.of(broker, "q"), self.of(broker, "q" + DEAD_LETTERS)
        return broker

    @staticmethod
    def of(broker: Broker, name: str) -> Queue:
        queue = broker.find(name)
        assert queue is not None
        return queue

    def teardown(self):
        if hasattr(self, "broker"):
            self.broker.close()
        self.folder.cleanup()

    # The model's rules

    def tick(self):
        due = [one for one in self.held.values() if one.state == SCHEDULED and one.enqueued_at <= self.now]
        for one in sorted(due, key=lambda one: (one.enqueued_at, one.order)):
            one.state, one.order = ACTIVE, next(self.orders)
        for one in list(self.held.values()):
            if one.token is not None and one.until <= self.now:
                one.token = None
                self.fail(one)
        for one in list(self.held.values()):
            if one.token is None and one.expires_at is not None and one.expires_at <= self.now:
                self.expire(one)
        self.seen = {key: entry for key, entry in self.seen.items() if entry[0] > self.now}

    def fail(self, one: Held):
        one.attempts += 1
        if not one.dead and one.attempts >= ATTEMPTS:
            self.bury(one, "MaxDeliveryCountExceeded")

    def expire(self, one: Held):
        if self.settings.dead_letter_expired:
            self.bury(one, "TTLExpiredException")
        else:
            self.end(one)

    def bury(self, one: Held, reason: str | None):
        one.dead, one.state, one.reason = True, ACTIVE, reason

    def end(self, one: Held):
        del self.held[one.number]
        self.ended += 1

    def available(self, *, dead: bool) -> list[Held]:
        ready = [one for one in self.held.values() if one.dead == dead and one.state == ACTIVE and one.token is None]
        return sorted(ready, key=lambda one: one.order)

    # What users do

    @rule(
        key=st.sampled_from([None, "a", "b"]),
        life=st.sampled_from([None, 15, 60]),
        delay=st.sampled_from([None, -5, 5, 20]),
    )
    def send(self, key, life, delay):
        number = next(self.numbers)
        due = None if delay is None else self.now + delay
        [sequence] = self.queue.send([Incoming(str(number).encode(), key, life, due)])
        self.tick()
        if key in self.seen:
            assert sequence == self.seen[key][1]
            return
        lives = [one for one in (life, self.settings.time_to_live) if one is not None]
        state, at = (SCHEDULED, due) if due is not None and due > self.now else (ACTIVE, self.now)
        self.held[number] = Held(number, next(self.orders), state, min(lives, default=None), at, sequence)
        self.sent += 1
        if key is not None:
            self.seen[key] = (self.now + WINDOW, sequence)

    @rule(target=tokens, dead=st.booleans())
    def receive(self, dead):
        delivery = (self.dead if dead else self.queue).receive()
        self.tick()
        ready = self.available(dead=dead)
        if not ready:
            assert delivery is None
            return multiple()
        return self.handed_out(delivery, ready[0])

    def handed_out(self, delivery: Delivery | None, one: Held):
        assert delivery is not None
        assert (int(delivery.payload), delivery.delivery_count) == (one.number, one.attempts)
        assert delivery.lock_token is not None
        one.token, one.until = delivery.lock_token, self.now + LOCK
        assert delivery.locked_until == one.until
        return (one.number, one.token)

    @rule()
    def receive_and_delete(self):
        delivery = self.queue.receive(delete=True)
        self.tick()
        ready = self.available(dead=False)
        assert (None if delivery is None else int(delivery.payload)) == (ready[0].number if ready else None)
        if ready:
            self.end(ready[0])

    @rule(
        token=consumes(tokens),
        outcome=st.sampled_from(["complete", "release", "abandon", "defer", "dead-letter"]),
        twice=st.booleans(),
    )
    def settle(self, token, outcome, twice):
        number, lock = token
        one = self.held.get(number)
        queue = self.dead if one is not None and one.dead else self.queue
        self.tick()
        one = self.held.get(number)
        if one is None or one.token != lock:
            with pytest.raises(LockLostError):
                queue.settle(lock, outcome)
            return
        queue.settle(lock, outcome, reason="why")
        one.token = None
        if outcome == "complete":
            self.end(one)
        elif outcome == "abandon":
            self.fail(one)
        elif outcome == "defer":
            one.attempts, one.state = one.attempts + 1, DEFERRED
        elif outcome == "dead-letter":
            one.attempts += 1
            self.bury(one, "why")
        if twice:
            with pytest.raises(LockLostError):
                queue.settle(lock, "complete")

    @rule(token=tokens)
    def renew(self, token):
        number, lock = token
        self.tick()
        one = self.held.get(number)
        queue = self.dead if one is not None and one.dead else self.queue
        if one is None or one.token != lock:
            with pytest.raises(LockLostError):
                queue.renew([lock])
            return
        one.until = self.now + LOCK
        assert queue.renew([lock]) == [one.until]

    @rule(target=tokens, data=st.data())
    @precondition(lambda self: self.held)
    def receive_deferred(self, data):
        one = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        queue = self.dead if one.dead else self.queue
        self.tick()
        if one.number in self.held and one.state == DEFERRED and one.token is None:
            [delivery] = (self.dead if one.dead else self.queue).receive_deferred([one.sequence])
            return self.handed_out(delivery, one)
        with pytest.raises(MessageNotFoundError):
            queue.receive_deferred([one.sequence])
        return multiple()

    @rule(data=st.data())
    @precondition(lambda self: self.held)
    def cancel(self, data):
        one = self.held[data.draw(st.sampled_from(sorted(self.held)))]
        self.tick()
        if one.number in self.held and one.state == SCHEDULED:
            self.queue.cancel([one.sequence])
            self.end(one)
        else:
            with pytest.raises(MessageNotFoundError):
                self.queue.cancel([one.sequence])

    @rule(step=st.sampled_from([1, 5, 9, 30]))
    def wait(self, step):
        self.now += step

    @rule()
    def restart(self):
        self.broker.close()
        self.broker = self.start()

    # What must hold after every step

    @invariant()
    def the_queues_hold_what_the_model_holds(self):
        if not hasattr(self, "broker"):
            return
        self.tick()
        assert self.sent == len(self.held) + self.ended
        for queue, dead in ((self.queue, False), (self.dead, True)):
            peeked = queue.peek(0, 1000)
            waiting = [int(one.payload) for one in peeked if one.state == ACTIVE and one.lock_token is None]
            assert waiting == [one.number for one in self.available(dead=dead)]
            stored = {int(one.payload): one for one in peeked}
            expected = {one.number: one for one in self.held.values() if one.dead == dead}
            assert stored.keys() == expected.keys()
            for number, row in stored.items():
                one = expected[number]
                one.sequence = row.sequence
                assert (row.state, row.delivery_count, row.lock_token) == (one.state, one.attempts, one.token)
                assert (row.expires_at, row.dead_letter_reason) == (one.expires_at, one.reason)
        counts = self.queue.counts()
        assert counts.total == len(self.held)
        assert counts.dead_letter == sum(one.dead for one in self.held.values())

    @invariant()
    def the_next_change_is_told(self):
        if not hasattr(self, "broker"):
            return
        times = [one.enqueued_at for one in self.held.values() if one.state == SCHEDULED]
        times += [one.until for one in self.held.values() if one.token is not None]
        times += [one.expires_at for one in self.held.values() if one.token is None and one.expires_at is not None]
        assert self.broker.next_change() == min(times, default=None)


TestQueueLife = QueueLife.TestCase
TestQueueLife.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
