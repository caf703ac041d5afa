"""Runs what the task hub holds: turns of orchestrations, batches of entities, activities, timers.

Everything happens on one event loop. A change is committed first and takes effect in memory after, so a process that
dies at any point finds at its next start exactly what was committed. Nothing polls: the hub is read at the start.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Coroutine
from uuid import uuid4

from local.host.clock import Clock
from local.host.durable import activities, dotnet, entities, events, turn, versions
from local.host.durable.events import Event
from local.host.durable.hub import Hub, load_events
from local.host.durable.model import PENDING, RUNNING, Activity, Instance, Message, Timer
from local.host.durable.options import DurableOptions
from local.host.durable.player import Answer, KnownFunctions, read_answer, read_failure
from local.host.durable.ports import DurableFunctions, FunctionFailed, HostStopping, Resumed
from local.host.durable.timers import TimerQueue
from local.host.durable.work import WorkQueue

logger = logging.getLogger(__name__)

# A turn that could only note that more of a task_all has succeeded waits this long for the rest of it.
HOLD_SECONDS = 0.5
# An aborted invocation (function timeout, fault in the host) is tried again after this time.
RETRY_SECONDS = 1.0


class Dispatcher:
    """The moving parts of one task hub."""

    def __init__(self, functions: DurableFunctions, options: DurableOptions, hub: Hub, clock: Clock) -> None:
        self.functions = functions
        self.options = options
        self.hub = hub
        self.clock = clock
        self.stopping = False
        self._instances: dict[str, Instance] = {}
        self._completed: list[tuple[Activity, Event]] = []
        self._activities = WorkQueue(options.max_concurrent_activity_functions, self._run_activity)
        self._turns = WorkQueue(options.max_concurrent_orchestrator_functions, self._run_turn)
        self._batches = WorkQueue(options.max_concurrent_entity_functions, self._run_batch)
        self._timers = TimerQueue(clock, self._fire)

    @property
    def known(self) -> KnownFunctions:
        """The app's functions as they are now: a reload may bring others."""
        return KnownFunctions(
            {name.lower() for name in self.functions.orchestrators},
            {name.lower() for name in self.functions.activities},
            {name.lower() for name in self.functions.entities},
        )

    # -- life

    def start(self) -> Resumed:
        """Take up everything that the hub holds."""
        for instance in self.hub.unfinished():
            if not instance.is_entity:
                self._instances[instance.instance_id] = instance
        messages, waiting, timers = self.hub.messages(), self.hub.activities(), self.hub.timers()
        resumed = Resumed(
            orchestrations=len(self._instances),
            activities=len(waiting),
            timers=len(timers),
            entities=len(
                {one.instance_id for one in messages if one.instance_id.startswith("@")} - set(self._instances)
            ),
        )
        for instance in list(self._instances.values()):
            if instance.fresh:
                self._ready(instance)
        self.post(messages)
        for activity in waiting:
            self._activities.put(activity)
        self._timers.add(timers)
        return resumed

    async def stop(self, grace_seconds: float) -> None:
        """Let what is running end within the grace time, then abort it: it runs again at the next start."""
        self.stopping = True
        self._timers.stop()
        await asyncio.gather(*(queue.stop(grace_seconds) for queue in (self._activities, self._turns, self._batches)))
        self._flush_completed()

    def now_text(self) -> str:
        return dotnet.timestamp(self.clock.now())

    # -- instances and messages

    def instance(self, instance_id: str) -> Instance | None:
        """An orchestration or entity as it stands, running or finished; its history may not be loaded."""
        return self._instances.get(instance_id) or self.hub.instance(instance_id)

    def history(self, instance: Instance) -> list[Event]:
        """Its history, loaded if need be."""
        if instance.history is None:
            instance.texts = self.hub.history(instance.instance_id)
            instance.history = load_events(instance.texts)
        return instance.history

    def adopt(self, instance: Instance) -> None:
        """From now on messages for its id go to this instance; one that ran under the id before is dropped."""
        self._instances[instance.instance_id] = instance

    def abandon(self, instance_id: str) -> None:
        """Forget an instance that the hub has forgotten."""
        self._instances.pop(instance_id, None)

    async def wait_finished(self, instance_id: str, timeout: float) -> None:  # noqa: ASYNC109 - a bound, not a failure
        """Return when the instance has finished, or after `timeout` seconds of real time."""
        instance = self._instances.get(instance_id)
        if instance is None or instance.is_entity:
            return
        finished = asyncio.Event()
        instance.waiters.append(finished)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(finished.wait(), timeout)

    def post(self, messages: list[Message]) -> None:
        """Hand committed messages to their instances and wake those; what nobody can take is dropped."""
        dropped: list[Message] = []
        for message in messages:
            instance = self._receiver(message)
            if instance is None:
                dropped.append(message)
                continue
            instance.inbox.append(message)
            if not self._holds(instance, message):
                self._ready(instance)
        if dropped:
            with self.hub.transaction():
                self.hub.take_messages(dropped)

    def _receiver(self, message: Message) -> Instance | None:
        instance = self._instances.get(message.instance_id)
        if instance is None:
            instance = self.hub.instance(message.instance_id)
            if instance is None and message.instance_id.startswith("@"):
                instance = entities.new_entity(message.instance_id, uuid4().hex, self.now_text())
            if instance is None or instance.finished:
                return None
            self._instances[message.instance_id] = instance
        if message.execution_id is not None and message.execution_id != instance.execution_id:
            return None
        return instance

    def _holds(self, instance: Instance, message: Message) -> bool:
        """Whether the turn can wait: its orchestrator awaits a task_all and this is one more success, not the last.

        The episode would be the one of messages that came a little later together, so nobody can tell the difference.
        """
        if instance.held_for is None or instance.busy:
            return False
        event = message.event
        success = event["EventType"] in (events.TASK_COMPLETED, events.CHILD_COMPLETED)
        if not success or event["TaskScheduledId"] not in instance.held_for or len(instance.held_for) == 1:
            instance.held_for = None
            return False
        if len(instance.inbox) == 1:
            asyncio.get_running_loop().call_later(max(HOLD_SECONDS, 4 * instance.turn_seconds), self._ready, instance)
        instance.held_for.discard(event["TaskScheduledId"])
        return True

    def _ready(self, instance: Instance) -> None:
        if instance.busy or instance.queued or self.stopping or not (instance.inbox or instance.fresh):
            return
        instance.queued = True
        (self._batches if instance.is_entity else self._turns).put(instance)

    async def _guarded(self, instance: Instance, work: Coroutine[None, None, None]) -> None:
        """Run a turn or a batch; whatever aborts it leaves the hub as it was and the work to be done again."""
        instance.queued, instance.busy = False, True
        retry = 0.0
        try:
            await work
        except HostStopping:
            retry = RETRY_SECONDS
        except Exception:
            retry = RETRY_SECONDS
            logger.exception(
                "A turn of %s could not be committed; it is tried again.",
                instance.instance_id,
                extra={"instance_id": instance.instance_id},
            )
        finally:
            instance.busy = False
        if self._instances.get(instance.instance_id) is not instance:
            return
        if retry:
            asyncio.get_running_loop().call_later(retry, self._ready, instance)
        else:
            self._ready(instance)

    # -- orchestrations

    async def _run_turn(self, instance: Instance) -> None:
        await self._guarded(instance, self._turn(instance))

    async def _turn(self, instance: Instance) -> None:
        began = time.perf_counter()
        self.history(instance)
        instance.held_for = None
        taken = [] if instance.fresh else list(instance.inbox)
        messages = [one for one in taken if one.execution_id in (None, instance.execution_id)]
        if not messages and not instance.fresh:
            self._drop(instance, taken)
            return
        episode = turn.begin(instance, messages, self.clock.now())
        rejected = versions.mismatch(
            episode.started["Version"], self.options.default_version, self.options.version_match_strategy
        )
        if rejected and self.options.version_failure_strategy == "Reject":
            self._reject(instance, rejected)
            return
        answer = turn.fail(rejected) if rejected else await self._ask(instance, episode)
        if self._instances.get(instance.instance_id) is not instance:
            return  # another start took the id over, or it was purged: this execution is gone
        now = self.clock.now()
        outcome = turn.finish(instance, episode, answer, self.known, now, self.options.max_orchestration_actions)
        self._commit_turn(instance, taken, episode, outcome, dotnet.timestamp(now))
        instance.turn_seconds = time.perf_counter() - began

    async def _ask(self, instance: Instance, episode: turn.Episode) -> Answer:
        name = episode.started["Name"]
        if name.lower() not in self.known.orchestrators:
            known = ", ".join(f"'{one}'" for one in self.functions.orchestrators)
            reason = (
                f"Orchestrator function '{name}' failed: The function '{name}' doesn't exist, is disabled, or is not an "
                f"orchestrator function. Additional info: The following are the known orchestrator functions: {known}"
            )
            return turn.fail(reason)
        try:
            text = await self.functions.run_orchestrator(name, turn.context(instance, episode), instance.instance_id)
        except FunctionFailed as failure:
            return read_failure(name, failure)
        return read_answer(name, text)

    def _reject(self, instance: Instance, reason: str) -> None:
        """The extension gives such work back for a newer worker; here it waits for the app's next start."""
        note = (
            f"{reason} It is left to a worker that may run it. Deploy that version, set versionMatchStrategy to None, "
            "or set versionFailureStrategy to Fail to have such instances fail."
        )
        self._instances.pop(instance.instance_id, None)
        if note not in instance.notes:
            instance.notes.append(note)
            with self.hub.transaction():
                self.hub.save_instance(instance)
            logger.warning("%s: %s", instance.instance_id, note, extra={"instance_id": instance.instance_id})

    def _drop(self, instance: Instance, messages: list[Message]) -> None:
        """Messages of an execution that the instance has left behind."""
        with self.hub.transaction():
            self.hub.take_messages(messages)
        for _ in messages:
            instance.inbox.popleft()

    def _commit_turn(
        self, instance: Instance, taken: list[Message], episode: turn.Episode, outcome: turn.Outcome, at: str
    ) -> None:
        """One transaction: history, messages consumed, work made. Then the same in memory, and everyone woken."""
        assert instance.history is not None
        assert instance.texts is not None
        made = _Made(instance)
        for event_id, task in outcome.activities:
            made.activities.append(
                Activity(
                    self.hub.number(), instance.instance_id, instance.execution_id, event_id, task.name, task.input_text
                )
            )
        for event_id, timer in outcome.timers:
            event = events.timer_fired(event_id, timer.fire_at, at)
            made.timers.append(
                Timer(self.hub.number(), instance.instance_id, instance.execution_id, timer.fire_at, event)
            )
        for child in outcome.children:
            self._start_child(made, instance, episode, child, at)
        for sent in outcome.sent:
            event = events.event_raised(sent.name, sent.input_text, at)
            if sent.due:
                made.timers.append(Timer(self.hub.number(), sent.instance_id, None, sent.due, event))
            else:
                made.messages.append(Message(sent.instance_id, None, event, self.hub.number()))
        after = self._after(instance, episode, outcome, at, made)
        new_notes = [note for note in outcome.notes if note not in instance.notes]
        after.notes = instance.notes + new_notes
        with self.hub.transaction():
            self.hub.take_messages(taken)
            if instance.fresh or after.fresh:
                self.hub.clear_history(instance.instance_id)
            kept = 0 if instance.fresh or after.fresh else len(instance.texts)
            assert after.texts is not None
            self.hub.append_history(instance.instance_id, kept, after.texts[kept:])
            if after.finished or after.fresh:
                self.hub.clear_timers(instance.instance_id, instance.execution_id)
            for replaced in made.children:
                self.hub.forget(replaced.instance_id)
                self.hub.save_instance(replaced)
            self.hub.save_instance(after)
            self.hub.add_messages(made.messages)
            self.hub.add_activities(made.activities)
            self.hub.add_timers(made.timers)
        for note in new_notes:
            logger.warning("%s: %s", instance.instance_id, note, extra={"instance_id": instance.instance_id})
        for _ in taken:
            instance.inbox.popleft()
        _become(instance, after)
        instance.held_for = outcome.held_for
        for child in made.children:
            self.adopt(child)
        if instance.finished:
            self._finish(instance)
        self.post(made.messages)
        for activity in made.activities:
            self._activities.put(activity)
        self._timers.add(made.timers)

    def _after(
        self, instance: Instance, episode: turn.Episode, outcome: turn.Outcome, at: str, made: "_Made"
    ) -> Instance:
        """The instance as it stands after the turn."""
        after = Instance(
            instance.instance_id,
            instance.execution_id,
            instance.name,
            instance.version,
            instance.input_text,
            instance.created,
            at,
            instance.generation,
            instance.parent_instance_id,
            outcome.status,
            outcome.output,
            outcome.custom_status,
        )
        completion = outcome.completion
        if completion is not None and completion.status == "ContinuedAsNew":
            self._continue_as_new(after, episode, outcome, at)
            return after
        assert instance.history is not None
        assert instance.texts is not None
        added = [*episode.new, *outcome.added]
        texts = [dotnet.to_json(event) for event in added]
        after.history = added if instance.fresh else instance.history + added
        after.texts = texts if instance.fresh else instance.texts + texts
        parent = episode.started["ParentInstance"]
        if completion is not None and parent is not None:
            number, scheduled_id = self.hub.number(), parent["TaskScheduleId"]
            event = (
                events.child_completed(scheduled_id, completion.result, at)
                if completion.status == "Completed"
                else events.child_failed(scheduled_id, completion.result, completion.details, at)
            )
            origin = parent["OrchestrationInstance"]
            made.messages.append(Message(origin["InstanceId"], origin["ExecutionId"], event, number))
        return after

    def _continue_as_new(self, after: Instance, episode: turn.Episode, outcome: turn.Outcome, at: str) -> None:
        assert outcome.completion is not None
        after.execution_id = uuid4().hex
        after.input_text = outcome.completion.result
        after.created = at
        after.generation = None
        after.status = RUNNING
        after.fresh = True
        started = events.execution_started(
            instance_id=after.instance_id,
            execution_id=after.execution_id,
            name=after.name,
            version=after.version,
            input_text=after.input_text,
            parent=episode.started["ParentInstance"],
            generation=None,
            at=at,
        )
        carried: list[Event] = [{**event, "IsPlayed": False} for event in outcome.completion.carried]
        after.history = [events.orchestrator_started(at), started, *carried, events.orchestrator_completed(at)]
        after.texts = [dotnet.to_json(event) for event in after.history]

    def _start_child(
        self, made: "_Made", instance: Instance, episode: turn.Episode, child: turn.Child, at: str
    ) -> None:
        present = self.instance(child.instance_id)
        if present is not None and not present.finished:
            note = (
                f"It started the sub-orchestration '{child.name}' under the id '{child.instance_id}' while '{present.name}' "
                "was running under that id: the running one was overwritten in silence, here as in Azure. Give "
                "sub-orchestrations ids that nobody else uses, or none."
            )
            instance.notes.append(note)
            logger.warning("%s: %s", instance.instance_id, note, extra={"instance_id": instance.instance_id})
        parent = {
            "Name": episode.started["Name"],
            "OrchestrationInstance": {"InstanceId": instance.instance_id, "ExecutionId": instance.execution_id},
            "TaskScheduleId": child.event_id,
            "Version": episode.started["Version"],
        }
        version = child.version or self.options.default_version
        started, message = self.new_execution(child.instance_id, uuid4().hex, child.name, version, child.input_text, at)
        started.generation = None
        started.parent_instance_id = instance.instance_id
        message.event["ParentInstance"] = parent
        message.event["Generation"] = None
        made.children.append(started)
        made.messages.append(message)

    def new_execution(
        self, instance_id: str, execution_id: str, name: str, version: str | None, input_text: str | None, at: str
    ) -> tuple[Instance, Message]:
        """A pending instance and the message that starts it; neither is kept yet."""
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

    def _finish(self, instance: Instance) -> None:
        self._instances.pop(instance.instance_id, None)
        if instance.inbox:
            with self.hub.transaction():
                self.hub.take_messages(instance.inbox)
            instance.inbox.clear()
        for waiter in instance.waiters:
            waiter.set()

    # -- entities

    async def _run_batch(self, entity: Instance) -> None:
        await self._guarded(entity, self._batch(entity))

    async def _batch(self, entity: Instance) -> None:
        messages = list(entity.inbox)[: self.options.max_entity_operation_batch_size]
        requests = entities.requests_of(messages)
        outcome = await self._operate(entity, requests) if requests else None
        if self._instances.get(entity.instance_id) is not entity:
            return
        at = self.now_text()
        sent: list[Message] = []
        if outcome is not None:
            for reply in outcome.replies:
                event = events.event_raised(reply.request_id, reply.text, at)
                sent.append(Message(reply.instance_id, reply.execution_id, event, self.hub.number()))
            for signal in outcome.signals:
                sent.append(
                    Message(signal.instance_id, None, events.event_raised("op", signal.text, at), self.hub.number())
                )
            for failure in outcome.failures:
                logger.warning(
                    "%s: an operation failed: %s",
                    entity.instance_id,
                    failure,
                    extra={"instance_id": entity.instance_id},
                )
            entity.input_text, entity.custom_status = outcome.input_text, outcome.custom_status
            entity.created = entity.updated = at
        with self.hub.transaction():
            self.hub.take_messages(messages)
            if outcome is not None:
                self.hub.save_instance(entity)
            self.hub.add_messages(sent)
        for _ in messages:
            entity.inbox.popleft()
        if not entity.inbox:
            self._instances.pop(entity.instance_id, None)
        self.post(sent)

    async def _operate(self, entity: Instance, requests: list[dict[str, object]]) -> entities.BatchOutcome:
        name, _ = entities.split_id(entity.instance_id)
        try:
            if name not in self.known.entities:
                raise FunctionFailed("FunctionNotFound", f"The function '{name}' doesn't exist.", "")
            answer = await self.functions.run_entity(name, entities.context(entity, requests), entity.instance_id)
            return entities.finish(requests, answer, self.now_text())
        except FunctionFailed as failure:
            return entities.finish_failed(entity, requests, dotnet.sanitize(failure.message))
        except ValueError as error:
            return entities.finish_failed(entity, requests, str(error))

    # -- activities

    async def _run_activity(self, activity: Activity) -> None:
        try:
            event = await activities.run(activity, self.functions, self.now_text)
        except HostStopping:
            if not self.stopping:
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self._activities.put, activity)
            return
        if not self._completed:
            asyncio.get_running_loop().call_soon(self._flush_completed)
        self._completed.append((activity, event))

    def _flush_completed(self) -> None:
        """Commit the outcomes of this moment together, then wake the orchestrations that wait for them."""
        completed, self._completed = self._completed, []
        if not completed:
            return
        messages: list[Message] = []
        for activity, event in completed:
            message = Message(activity.instance_id, activity.execution_id, event, self.hub.number())
            if self._receiver(message) is not None:
                messages.append(message)
        with self.hub.transaction():
            self.hub.take_activities(activity.number for activity, _ in completed)
            self.hub.add_messages(messages)
        self.post(messages)

    # -- timers

    def _fire(self, timers: list[Timer]) -> None:
        self.post([Message(one.instance_id, one.execution_id, one.event, timer=one.number) for one in timers])


class _Made:
    """What a turn puts into the hub besides its history."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.messages: list[Message] = []
        self.activities: list[Activity] = []
        self.timers: list[Timer] = []
        self.children: list[Instance] = []


def _become(instance: Instance, after: Instance) -> None:
    """Take over what a committed turn changed, keeping what came in meanwhile."""
    for name in [
        "execution_id",
        "input_text",
        "created",
        "updated",
        "generation",
        "status",
        "output",
        "custom_status",
        "fresh",
        "notes",
        "history",
        "texts",
    ]:
        setattr(instance, name, getattr(after, name))
