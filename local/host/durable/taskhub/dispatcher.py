"""Sets in motion what the task hub holds: turns, batches, activities and timers, within their limits.

Everything happens on one event loop. A change is committed first and takes effect in memory after, so a process that
dies at any point finds at its next start exactly what was committed, and a commit that fails (a full disk) leaves
memory as it was: what it would have kept is tried again. Nothing polls: the hub is read at the start.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

from local.host.core.clock import Clock
from local.host.core.errors import HostStopping
from local.host.core.logs import host_log, warn_once
from local.host.durable.model import entities
from local.host.durable.model.options import DurableOptions
from local.host.durable.model.ports import DurableFunctions, FunctionDisabled, Resumed
from local.host.durable.model.records import Activity, Message, Timer
from local.host.durable.taskhub import activities, instances
from local.host.durable.taskhub.entity_batches import EntityBatches
from local.host.durable.taskhub.hub import Hub
from local.host.durable.taskhub.instances import Instances, Live
from local.host.durable.taskhub.orchestrations import Made, Orchestrations
from local.host.durable.taskhub.timers import TimerQueue
from local.host.durable.taskhub.work import WorkQueue

Item = TypeVar("Item")

# Outcomes that no turn waits for are committed together, after this time at most; a kill before runs them again.
COLLECT_SECONDS = 0.01


class Dispatcher:
    """The moving parts of one task hub."""

    def __init__(self, functions: DurableFunctions, options: DurableOptions, hub: Hub, clock: Clock) -> None:
        self.instances = Instances(hub, clock, self._wake)
        self._functions = functions
        self._hub = hub
        self._orchestrations = Orchestrations(functions, options, self.instances, self._dispatch)
        self._entities = EntityBatches(functions, options, self.instances)
        self._stopping = False
        self._retries = 0
        self._completed: list[tuple[Activity, Message]] = []
        self._flush: asyncio.Handle | None = None
        self._flush_due = 0.0
        self._activities = WorkQueue(options.max_concurrent_activity_functions, self._run_activity)
        self._turns = WorkQueue(options.max_concurrent_orchestrator_functions, self._run_turn)
        self._batches = WorkQueue(options.max_concurrent_entity_functions, self._run_batch)
        self._timers = TimerQueue(clock, self._fire)

    @property
    def idle(self) -> bool:
        """Whether nothing runs or is about to, but for what waits for the clock or for somebody outside."""
        queues = (self._activities, self._turns, self._batches)
        waits = self._flush is not None or self._retries or self.instances.unsettled
        return not waits and all(queue.idle for queue in queues)

    def start(self) -> Resumed:
        """Take up everything that the hub holds."""
        running = [one for one in self._hub.unfinished() if not one.is_entity]
        messages, waiting, timers = self._hub.messages(), self._hub.activities(), self._hub.timers()
        ids = {one.instance_id for one in running}
        lives = [self.instances.adopt(one) for one in running]
        resumed = Resumed(
            orchestrations=len(running),
            activities=len(waiting),
            timers=len(timers),
            entities=len({one.instance_id for one in messages} - ids),
        )
        self.instances.post(messages)
        for live in lives:
            self._wake(live)
        self._dispatch(Made(activities=waiting, timers=timers))
        return resumed

    async def stop(self, grace_seconds: float) -> None:
        """Let what is running end within the grace time, then abort it: it runs again at the next start."""
        self._stopping = True
        self._timers.stop()
        self._orchestrations.stop()
        await asyncio.gather(*(queue.stop(grace_seconds) for queue in (self._activities, self._turns, self._batches)))
        if self._flush is not None:
            self._flush.cancel()
        self._flush_completed()
        self.instances.stop()

    def _dispatch(self, made: Made) -> None:
        for child in made.children:
            self.instances.adopt(child)
        self.instances.post(made.messages)
        for activity in made.activities:
            self._activities.put(activity)
        self._timers.add(made.timers)

    # -- turns and batches

    def _wake(self, live: Live) -> None:
        if live.busy or live.queued or self._stopping or not (live.inbox or live.state.fresh):
            return
        live.queued = True
        (self._batches if live.state.is_entity else self._turns).put(live)

    async def _run_turn(self, live: Live) -> None:
        await self._guarded(live, self._orchestrations.run)

    async def _run_batch(self, live: Live) -> None:
        await self._guarded(live, self._operate)

    async def _operate(self, live: Live) -> None:
        try:
            await self._entities.run(live)
        except FunctionDisabled:
            # Its messages stay: the next start tries them again.
            name, _ = entities.split_id(live.state.instance_id)
            for caller in entities.callers(live.inbox):
                self._orchestrations.note_disabled(caller, f"entity '{name}'")
            warn_once("The entity '%s' is disabled: its operations wait until it is not, here as in Azure.", name)
            self.instances.leave(live.state.instance_id)

    async def _guarded(self, live: Live, work: Callable[[Live], Awaitable[None]]) -> None:
        """Run a turn or a batch; whatever aborts it leaves the hub as it was and the work to be done again."""
        live.queued, live.busy = False, True
        aborted = False
        try:
            await work(live)
        except HostStopping:
            aborted = True
        except Exception:  # noqa: BLE001 - logged with its stack
            aborted = True
            name = live.state.instance_id
            host_log.exception("%s: a turn could not be kept; it is tried again.", name, extra={"instance_id": name})
        finally:
            live.busy = False
        if not self.instances.is_current(live):
            return
        if aborted:
            self._try_again(self._wake, live)
        else:
            self._wake(live)

    def _try_again(self, put: Callable[[Item], None], item: Item) -> None:
        def put_again() -> None:
            self._retries -= 1
            put(item)

        self._retries += 1
        asyncio.get_running_loop().call_later(instances.RETRY_SECONDS, put_again)

    # -- activities

    async def _run_activity(self, activity: Activity) -> None:
        try:
            event = await activities.run(activity, self._functions, self.instances.now_text)
        except FunctionDisabled:
            # Its row stays: the next start tries it again.
            self._orchestrations.note_disabled(activity.instance_id, f"activity '{activity.name}'")
            return
        except Exception as error:  # noqa: BLE001 - logged with its stack
            if not isinstance(error, HostStopping):
                name = activity.instance_id
                host_log.exception("%s: an activity could not be run; it is tried again.", name)
            if not self._stopping:
                self._try_again(self._activities.put, activity)
            return
        message = Message(activity.instance_id, activity.execution_id, event, self._hub.number())
        message.expected = self.instances.can_wait(activity.instance_id, event)
        self._completed.append((activity, message))
        self._flush_soon(COLLECT_SECONDS if message.expected else 0.0)

    def _flush_soon(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if self._flush is not None:
            if self._flush_due <= due:
                return
            self._flush.cancel()
        self._flush, self._flush_due = loop.call_later(seconds, self._flush_completed), due

    def _flush_completed(self) -> None:
        """Commit the outcomes of this moment together, then wake the orchestrations that wait for them."""
        self._flush = None
        completed = list(self._completed)
        if not completed:
            return
        try:
            messages = [message for _, message in completed if self.instances.receiver(message) is not None]
            with self._hub.transaction():
                self._hub.take_activities(activity.number for activity, _ in completed)
                self._hub.add_messages(messages)
        except sqlite3.Error as error:
            host_log.error(
                "The outcomes of %d activities cannot be kept: %s. It is tried again.", len(completed), error
            )
            if not self._stopping:
                self._flush_soon(instances.RETRY_SECONDS)
            return
        del self._completed[: len(completed)]
        self.instances.post(messages)

    # -- timers

    def _fire(self, timers: list[Timer]) -> None:
        self.instances.post(Message(one.instance_id, one.execution_id, one.event, timer=one.number) for one in timers)
