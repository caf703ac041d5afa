"""Runs the turns of orchestrations: asks the function, commits what its answer comes to, sends what it made."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import uuid4

from local.host.core.logs import host_log
from local.host.durable.model import dotnet, events
from local.host.durable.model.actions import CreateTimer, NewAction
from local.host.durable.model.known import KnownFunctions
from local.host.durable.model.options import DurableOptions
from local.host.durable.model.ports import DurableFunctions, FunctionDisabled, FunctionFailed
from local.host.durable.model.records import COMPLETED, CONTINUED_AS_NEW, Activity, Instance, Message, Timer
from local.host.durable.replay import diagnosis, turn, versions
from local.host.durable.replay.answers import Answer, read_answer, read_failure
from local.host.durable.taskhub.instances import Instances, Live

# An activity or a sub-orchestration that lost a race mostly ends by itself; one that is open so long is noted.
HANGS_AFTER_SECONDS = 3.0


@dataclass(slots=True)
class Made:
    """What a turn puts into the hub besides its history."""

    messages: list[Message] = field(default_factory=list[Message])
    activities: list[Activity] = field(default_factory=list[Activity])
    timers: list[Timer] = field(default_factory=list[Timer])
    children: list[Instance] = field(default_factory=list[Instance])


class Orchestrations:
    """Turns, one at a time per instance. `dispatch` takes what a committed turn made."""

    def __init__(
        self,
        functions: DurableFunctions,
        options: DurableOptions,
        instances: Instances,
        dispatch: Callable[[Made], None],
    ) -> None:
        self._functions = functions
        self._options = options
        self._instances = instances
        self._hub = instances.hub
        self._dispatch = dispatch
        self._hints: dict[str, asyncio.TimerHandle] = {}

    def stop(self) -> None:
        """Note nothing more of what hangs."""
        for hint in self._hints.values():
            hint.cancel()
        self._hints.clear()

    async def run(self, live: Live) -> None:
        """Run one turn over what has arrived. Raises HostStopping, and leaves everything as it was, when aborted."""
        instance = live.state
        self._instances.load_history(instance)
        live.held_for = None
        taken = [] if instance.fresh else list(live.inbox)
        messages = [one for one in taken if one.execution_id in {None, instance.execution_id}]
        if not messages and not instance.fresh:
            self._drop(live, taken)
            return
        episode = turn.begin(instance, messages, self._instances.now())
        known = KnownFunctions(self._functions)
        rejected = versions.mismatch(
            episode.started["Version"], self._options.default_version, self._options.version_match_strategy
        )
        if rejected and self._options.version_failure_strategy == "Reject":
            self._reject(live, rejected)
            return
        answer = turn.reject(rejected) if rejected else await self._ask(instance, episode, known)
        if not self._instances.is_current(live):
            return
        now = self._instances.now()
        outcome = turn.finish(instance, episode, answer, known=known, now=now, options=self._options)
        self._commit(live, taken, episode, outcome, dotnet.timestamp(now))

    async def _ask(self, instance: Instance, episode: turn.Episode, known: KnownFunctions) -> Answer:
        name = episode.started["Name"]
        if not known.has("orchestrator", name):
            return turn.fail(f"Orchestrator function '{name}' failed: {known.missing('orchestrator', name)}")
        try:
            text = await self._functions.run_orchestrator(name, turn.context(instance, episode), instance.instance_id)
        except FunctionDisabled:
            return turn.fail(f"Orchestrator function '{name}' failed: {known.missing('orchestrator', name)}")
        except FunctionFailed as failure:
            return read_failure(name, failure)
        return read_answer(name, text)

    def _drop(self, live: Live, messages: list[Message]) -> None:
        """Messages of an execution that the instance has left behind."""
        with self._hub.transaction():
            self._hub.take_messages(messages)
        live.consume(messages)

    def _reject(self, live: Live, reason: str) -> None:
        """The extension gives such work back for a newer worker; here it waits for the app's next start."""
        note = (
            f"{reason} It is left to a worker that may run it. Deploy that version, set versionMatchStrategy to None, "
            "or set versionFailureStrategy to Fail to have such instances fail."
        )
        self._note(live, note)
        self._instances.leave(live.state.instance_id)

    def _commit(self, live: Live, taken: list[Message], episode: turn.Episode, outcome: turn.Outcome, at: str) -> None:
        """One transaction: history, messages consumed, work made. Then the same in memory, and everyone woken.

        What arrived too late for an execution that ends is consumed with it.
        """
        before = live.state
        made = self._make(before, episode, outcome, at)
        after = turn.advance(before, episode, outcome, at)
        anew = before.fresh or after.fresh
        kept = 0 if anew else len(before.texts or ())
        consumed = list(live.inbox) if after.finished else taken
        with self._hub.transaction():
            self._hub.take_messages(consumed)
            if anew:
                self._hub.clear_history(before.instance_id)
            self._hub.append_history(before.instance_id, kept, (after.texts or [])[kept:])
            if after.finished or after.fresh:
                self._hub.clear_timers(before.instance_id, before.execution_id)
            for child in made.children:
                self._hub.forget(child.instance_id)
                self._hub.save_instance(child)
            self._hub.save_instance(after)
            self._hub.add_messages(made.messages)
            self._hub.add_activities(made.activities)
            self._hub.add_timers(made.timers)
        live.state = after
        live.consume(consumed)
        live.held_for = outcome.held_for
        if after.finished:
            self._instances.leave(after.instance_id)
        self._dispatch(made)
        _warn(after, after.notes[len(before.notes) :])
        self._watch(live, outcome.still_open)

    def _make(self, instance: Instance, episode: turn.Episode, outcome: turn.Outcome, at: str) -> Made:
        made = Made()
        owner = (instance.instance_id, instance.execution_id)
        for event_id, task in outcome.activities:
            made.activities.append(Activity(self._hub.number(), *owner, event_id, task.name, task.input_text))
        for event_id, timer in outcome.timers:
            fired = events.timer_fired(event_id, timer.fire_at, at)
            made.timers.append(Timer(self._hub.number(), *owner, timer.fire_at, fired))
        for sent in outcome.sent:
            event = events.event_raised(events.OPERATION, sent.input_text, at)
            made.messages.append(Message(sent.instance_id, None, event, self._hub.number()))
        for child in outcome.children:
            self._make_child(made, instance, episode, outcome, child)
        parent = episode.started["ParentInstance"]
        completion = outcome.completion
        if parent is not None and completion is not None and completion.status != CONTINUED_AS_NEW:
            scheduled_id, origin = parent["TaskScheduleId"], parent["OrchestrationInstance"]
            event = (
                events.child_completed(scheduled_id, completion.result, at)
                if completion.status == COMPLETED
                else events.child_failed(scheduled_id, completion.result, completion.details, at)
            )
            made.messages.append(Message(origin["InstanceId"], origin["ExecutionId"], event, self._hub.number()))
        return made

    def _make_child(
        self, made: Made, instance: Instance, episode: turn.Episode, outcome: turn.Outcome, child: turn.Child
    ) -> None:
        present = self._instances.state(child.instance_id)
        if present is not None and not present.finished:
            outcome.notes.append(
                f"It started the sub-orchestration '{child.name}' under the id '{child.instance_id}' while "
                f"'{present.name}' was running under that id: the running one was overwritten in silence, here as in "
                "Azure. Give sub-orchestrations ids that nobody else uses, or none."
            )
        started, message = self._instances.new_execution(
            child.instance_id,
            uuid4().hex,
            child.name,
            version=child.version,
            input_text=child.input_text,
        )
        message.event["Tags"] = episode.started["Tags"]
        started.generation = message.event["Generation"] = None
        started.parent_instance_id = instance.instance_id
        message.event["ParentInstance"] = {
            "Name": episode.started["Name"],
            "OrchestrationInstance": {"InstanceId": instance.instance_id, "ExecutionId": instance.execution_id},
            "TaskScheduleId": child.event_id,
            "Version": episode.started["Version"],
        }
        made.children.append(started)
        made.messages.append(message)

    def note_disabled(self, instance_id: str, called: str) -> None:
        """Say on the instance why what it called does not run."""
        live = self._instances.find(instance_id)
        if live is None:
            return
        note = (
            f"The {called} is disabled: what was called waits, here as in Azure. Start the app without its "
            "AzureWebJobs.<function>.Disabled to have it run."
        )
        try:
            self._note(live, note)
        except sqlite3.Error as error:
            host_log.error("%s: a note cannot be kept: %s. %s", instance_id, error, note)

    def _watch(self, live: Live, still_open: Sequence[NewAction]) -> None:
        """Note what has returned and does not end: a set timer at once, what may end by itself in a while."""
        name = live.state.instance_id
        hint = self._hints.pop(name, None)
        if hint is not None:
            hint.cancel()
        if not still_open or any(note.startswith(diagnosis.RETURNED) for note in live.state.notes):
            return
        if any(isinstance(one, CreateTimer) for one in still_open):
            self._note_hanging(live, still_open)
        else:
            self._note_later(live, still_open)

    def _note_later(self, live: Live, still_open: Sequence[NewAction]) -> None:
        later = asyncio.get_running_loop().call_later(HANGS_AFTER_SECONDS, self._note_hanging, live, still_open)
        self._hints[live.state.instance_id] = later

    def _note_hanging(self, live: Live, still_open: Sequence[NewAction]) -> None:
        self._hints.pop(live.state.instance_id, None)
        if not self._instances.is_current(live):
            return
        try:
            self._note(live, diagnosis.hanging(still_open))
        except sqlite3.Error as error:
            host_log.error("%s: a note cannot be kept: %s. It is tried again.", live.state.instance_id, error)
            self._note_later(live, still_open)

    def _note(self, live: Live, note: str) -> None:
        if note in live.state.notes:
            return
        noted = replace(live.state, notes=[*live.state.notes, note])
        with self._hub.transaction():
            self._hub.save_instance(noted)
        live.state = noted
        _warn(noted, [note])


def _warn(instance: Instance, notes: list[str]) -> None:
    for note in notes:
        host_log.warning("%s: %s", instance.instance_id, note, extra={"instance_id": instance.instance_id})
