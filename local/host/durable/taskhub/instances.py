"""The instances that are in motion, and how committed messages reach them."""

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from local.host.core.clock import Clock
from local.host.core.logs import host_log
from local.host.durable.model import dotnet, entities, events
from local.host.durable.model.events import Event
from local.host.durable.model.records import PENDING, Instance, Message
from local.host.durable.taskhub.hub import Hub, load_events

# What was aborted (function timeout, commit that fails, fault in the host) is tried again after this time.
RETRY_SECONDS = 1.0
# A turn that could only note that more of a task_all has succeeded waits for the rest: until nothing more has come for
# this time, and so long at most.
HOLD_SECONDS = 0.5
LONGEST_HOLD_SECONDS = 2.0
_SUCCESSES = frozenset({events.TASK_COMPLETED, events.CHILD_COMPLETED})


@dataclass(slots=True, eq=False)
class Live:
    """An instance in motion: its committed state, and what has arrived for its next turn."""

    state: Instance
    inbox: deque[Message] = field(default_factory=deque[Message])
    busy: bool = False
    queued: bool = False
    held_for: set[int] | None = None
    waiters: list[asyncio.Event] = field(default_factory=list[asyncio.Event])

    def consume(self, messages: list[Message]) -> None:
        """Drop the first messages, which a turn has taken."""
        for _ in messages:
            self.inbox.popleft()


class Instances:
    """One task hub's instances. `wake` is called with those that have something to do."""

    def __init__(self, hub: Hub, clock: Clock, wake: Callable[[Live], None]) -> None:
        self.hub = hub
        self._clock = clock
        self._wake = wake
        self._live: dict[str, Live] = {}
        self._posted: deque[Message] = deque()
        self._dropped: list[Message] = []

    def now(self) -> datetime:
        """The time in whole milliseconds, so that what happens together shares its timestamps."""
        now = self._clock.now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def now_text(self) -> str:
        return dotnet.timestamp(self.now())

    # -- looking

    def state(self, instance_id: str) -> Instance | None:
        """An orchestration or entity as committed, running or finished; its history may not be loaded."""
        live = self._live.get(instance_id)
        return live.state if live is not None else self.hub.instance(instance_id)

    def find(self, instance_id: str) -> Live | None:
        """The instance if it is in motion."""
        return self._live.get(instance_id)

    def is_current(self, live: Live) -> bool:
        """False once another start took its id over, or it was purged or has ended."""
        return self._live.get(live.state.instance_id) is live

    def load_history(self, instance: Instance) -> list[Event]:
        """Its current execution's history, read from the hub if need be."""
        if instance.history is None:
            instance.texts = self.hub.history(instance.instance_id)
            instance.history = load_events(instance.texts)
        return instance.history

    async def wait_finished(self, instance_id: str, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a failure
        """Return when the orchestration has ended, or after `timeout` seconds of real time."""
        live = self._live.get(instance_id)
        if live is None or live.state.is_entity:
            return
        finished = asyncio.Event()
        live.waiters.append(finished)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(finished.wait(), timeout)

    # -- coming and going

    def adopt(self, instance: Instance) -> Live:
        """From now on messages for its id go to this instance; one that ran under the id before is dropped."""
        live = self._live[instance.instance_id] = Live(instance)
        return live

    def leave(self, instance_id: str) -> None:
        """The instance has ended, was purged, or has nothing to do for now."""
        live = self._live.pop(instance_id, None)
        for waiter in live.waiters if live is not None else ():
            waiter.set()

    def new_execution(
        self, instance_id: str, execution_id: str, name: str, *, version: str | None, input_text: str | None
    ) -> tuple[Instance, Message]:
        """A pending instance and the message that starts it; neither is kept yet."""
        at = self.now_text()
        instance = Instance(
            instance_id, execution_id, name, version, input_text, at, at, status=PENDING, history=[], texts=[]
        )
        event = events.execution_started(
            instance_id=instance_id,
            execution_id=execution_id,
            name=name,
            version=version,
            input_text=input_text,
            parent=None,
            generation=0,
            at=at,
        )
        return instance, Message(instance_id, execution_id, event, self.hub.number())

    # -- messages

    def post(self, messages: Iterable[Message]) -> None:
        """Hand committed messages to their instances and wake those; what nobody can take is dropped."""
        self._posted.extend(messages)
        self._deliver()

    def _deliver(self) -> None:
        """Hand over what is posted, in its order. Where the hub cannot be read it is tried again: it is committed."""
        while self._posted:
            message = self._posted[0]
            try:
                live = self.receiver(message)
            except sqlite3.Error as error:
                host_log.error("%d messages cannot be handed over yet: %s.", len(self._posted), error)
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._deliver)
                return
            self._posted.popleft()
            if live is None:
                self._dropped.append(message)
                continue
            live.inbox.append(message)
            if not self._holds(live, message):
                self._wake(live)
        self._drop()

    def _drop(self) -> None:
        """Delete the rows of what nobody takes. Where that fails it is tried again: nothing else waits for it."""
        if not self._dropped:
            return
        try:
            with self.hub.transaction():
                self.hub.take_messages(self._dropped)
        except sqlite3.Error as error:
            host_log.error("%d messages that nobody takes cannot be deleted: %s.", len(self._dropped), error)
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._drop)
        else:
            self._dropped.clear()

    @property
    def unsettled(self) -> bool:
        """Whether messages are still to be handed over, or to be deleted since nobody takes them."""
        return bool(self._posted or self._dropped)

    def stop(self) -> None:
        """Settle nothing more: the next start reads it from the hub."""
        self._posted.clear()
        self._dropped.clear()

    def receiver(self, message: Message) -> Live | None:
        """Who takes the message; None for an instance that does not exist, has ended, or runs another execution."""
        live = self._live.get(message.instance_id)
        if live is None:
            instance = self.hub.instance(message.instance_id)
            if instance is None and message.instance_id.startswith("@"):
                instance = entities.new_entity(message.instance_id, uuid4().hex, self.now_text())
            if instance is None or instance.finished:
                return None
            live = self.adopt(instance)
        if message.execution_id is not None and message.execution_id != live.state.execution_id:
            return None
        return live

    def can_wait(self, instance_id: str, event: Event) -> bool:
        """Whether an outcome is one more success of a task_all that awaits others still; it is then counted."""
        live = self._live.get(instance_id)
        if live is None or live.held_for is None or live.busy or event["EventType"] not in _SUCCESSES:
            return False
        if event["TaskScheduledId"] not in live.held_for or len(live.held_for) == 1:
            return False
        live.held_for.discard(event["TaskScheduledId"])
        return True

    def _holds(self, live: Live, message: Message) -> bool:
        """Whether the turn can wait: its orchestrator awaits a task_all and this is one more success, not the last.

        The episode would be the one of messages that came a little later together, so there is no difference.
        """
        struck_off = message.expected and live.held_for is not None and not live.busy
        if not struck_off and not self.can_wait(message.instance_id, message.event):
            live.held_for = None
            return False
        if len(live.inbox) == 1:
            self._hold(live, 0, asyncio.get_running_loop().time() + LONGEST_HOLD_SECONDS)
        return True

    def _hold(self, live: Live, seen: int, until: float) -> None:
        loop = asyncio.get_running_loop()
        if seen < len(live.inbox) and loop.time() < until:
            loop.call_later(HOLD_SECONDS, self._hold, live, len(live.inbox), until)
        else:
            self._wake(live)
