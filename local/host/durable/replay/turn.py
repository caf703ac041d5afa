"""One turn of an orchestration: the context that its function gets, and what its answer comes to. No I/O."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

from local.host.durable.model import dotnet, events
from local.host.durable.model.actions import Completion, CreateChild, CreateTimer, NewAction, ScheduleTask, SendEvent
from local.host.durable.model.events import Event
from local.host.durable.model.known import KnownFunctions
from local.host.durable.model.options import DurableOptions
from local.host.durable.model.records import CONTINUED_AS_NEW, FAILED, FINISHED, RUNNING, SUSPENDED, Instance, Message
from local.host.durable.replay.answers import Answer
from local.host.durable.replay.diagnosis import diagnose, still_open
from local.host.durable.replay.player import Player
from local.host.durable.replay.replay import Replay
from local.host.durable.replay.tasks import OrchestrationFailed

_CONTEXT_TAIL = (
    '"upperSchemaVersion":1,"upperSchemaVersionNew":3,"longRunningTimerIntervalDuration":"3.00:00:00",'
    '"maximumShortTimerDuration":"6.00:00:00","defaultHttpAsyncRequestSleepTimeMillseconds":30000}'
)

# A restart under a new id is marked with the id that it was started from; children inherit the mark.
SOURCE_TAG = "MS_DurableFunctions_SourceInstanceId"


@dataclass(slots=True)
class Episode:
    """One invocation: the messages that it consumes, the history before it and what it adds at its start."""

    messages: list[Message]
    past: list[Event]
    past_texts: list[str]
    new: list[Event]
    started: Event


@dataclass(slots=True)
class Child:
    """A sub-orchestration to start."""

    instance_id: str
    event_id: int
    name: str
    version: str | None
    input_text: str | None


@dataclass(slots=True)
class Outcome:
    """What a turn changes, to be committed together with the consumption of its messages."""

    added: list[Event] = field(default_factory=list[Event])
    activities: list[tuple[int, ScheduleTask]] = field(default_factory=list[tuple[int, ScheduleTask]])
    timers: list[tuple[int, CreateTimer]] = field(default_factory=list[tuple[int, CreateTimer]])
    children: list[Child] = field(default_factory=list[Child])
    sent: list[SendEvent] = field(default_factory=list[SendEvent])
    completion: Completion | None = None
    status: str = RUNNING
    output: str | None = None
    custom_status: str | None = None
    notes: list[str] = field(default_factory=list[str])
    held_for: set[int] | None = None
    still_open: list[NewAction] = field(default_factory=list[NewAction])


def begin(instance: Instance, messages: list[Message], now: datetime) -> Episode:
    """The next episode over `messages`, all of them for the instance's current execution."""
    history, texts = instance.history or [], instance.texts or []
    if instance.fresh:
        new = [dict(event) for event in history]
        return Episode(messages, [], [], new, new[1])
    new = [events.orchestrator_started(dotnet.timestamp(now)), *(dict(message.event) for message in messages)]
    started = history[1] if history else new[1]
    return Episode(messages, history, texts, new, started)


def context(instance: Instance, episode: Episode) -> str:
    """The context as the extension sends it, fields in its order; compact where the extension indents."""
    tags: dict[str, str] = episode.started["Tags"] or {}
    history = ",".join([*episode.past_texts, *(dotnet.to_json(event) for event in episode.new)])
    return (
        f'{{"history":[{history}],"input":{episode.started["Input"] or "null"},'
        f'"instanceId":{dotnet.to_json(instance.instance_id)},'
        f'"isReplaying":{"true" if episode.past else "false"},'
        f'"parentInstanceId":{dotnet.to_json(instance.parent_instance_id)},"sourceInstanceId":{dotnet.to_json(tags.get(SOURCE_TAG))},'
        f"{_CONTEXT_TAIL}"
    )


def finish(
    instance: Instance,
    episode: Episode,
    answer: Answer,
    *,
    known: KnownFunctions,
    now: datetime,
    options: DurableOptions,
) -> Outcome:
    """Replay the answer over the history and say what the turn adds. Marks the new received events as played."""
    at = dotnet.timestamp(now)
    player = Player(answer, known, at, options)
    replay = Replay(player.play)
    replay.run(episode.past, episode.new)
    outcome = Outcome(custom_status=instance.custom_status, notes=[*answer.notes, *replay.notes])
    if answer.custom_status is not None:
        outcome.custom_status = answer.custom_status
    for event in episode.new:
        if event["EventType"] != events.ORCHESTRATOR_STARTED:
            event["IsPlayed"] = True
    keep_input = options.store_inputs_in_orchestration_history
    for event_id in sorted(replay.new_actions):
        _schedule(outcome, event_id, replay.new_actions[event_id], at, keep_input=keep_input)
    _conclude(outcome, replay, answer, at)
    outcome.added.append(events.orchestrator_completed(at))
    _status(outcome, instance, episode, replay)
    outcome.notes.extend(diagnose(replay, outcome.completion, answer))
    outcome.still_open = still_open(replay, outcome.completion, answer)
    if player.waiting_for_all and not outcome.completion and not replay.suspended:
        outcome.held_for = set(replay.open_tasks)
    return outcome


def advance(instance: Instance, episode: Episode, outcome: Outcome, at: str) -> Instance:
    """The instance as it stands after the turn; a new object, so that a turn that cannot be kept leaves no trace."""
    after = replace(
        instance,
        updated=at,
        status=outcome.status,
        output=outcome.output,
        custom_status=outcome.custom_status,
        fresh=False,
        notes=[*instance.notes, *(note for note in outcome.notes if note not in instance.notes)],
    )
    if outcome.completion is not None and outcome.completion.status == CONTINUED_AS_NEW:
        _continue_as_new(after, episode, outcome.completion, at)
        return after
    added = [*episode.new, *outcome.added]
    texts = [dotnet.to_json(event) for event in added]
    after.history = added if instance.fresh else (instance.history or []) + added
    after.texts = texts if instance.fresh else (instance.texts or []) + texts
    return after


def _continue_as_new(after: Instance, episode: Episode, completion: Completion, at: str) -> None:
    after.execution_id = uuid4().hex
    after.input_text = completion.result
    after.created = at
    after.generation = None
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
    started["Tags"] = episode.started["Tags"]
    carried: list[Event] = [{**event, "IsPlayed": False} for event in completion.carried]
    after.history = [events.orchestrator_started(at), started, *carried, events.orchestrator_completed(at)]
    after.texts = [dotnet.to_json(event) for event in after.history]


def _schedule(outcome: Outcome, event_id: int, action: NewAction, at: str, *, keep_input: bool) -> None:
    if isinstance(action, ScheduleTask):
        outcome.added.append(
            events.task_scheduled(event_id, action.name, at, input_text=action.input_text if keep_input else None)
        )
        outcome.activities.append((event_id, action))
    elif isinstance(action, CreateTimer):
        outcome.added.append(events.timer_created(event_id, action.fire_at, at))
        outcome.timers.append((event_id, action))
    elif isinstance(action, CreateChild):
        kept = action.input_text if keep_input else None
        event = events.child_created(event_id, action.name, action.version, action.instance_id, at, input_text=kept)
        outcome.added.append(event)
        outcome.children.append(Child(action.instance_id, event_id, action.name, action.version, action.input_text))
    else:
        outcome.added.append(events.event_sent(event_id, action.instance_id, events.OPERATION, action.input_text, at))
        outcome.sent.append(action)


def _conclude(outcome: Outcome, replay: Replay, answer: Answer, at: str) -> None:
    completion = replay.completion
    outcome.completion = completion
    if completion is None or completion.status == CONTINUED_AS_NEW:
        return
    if answer.fatal is not None and answer.outright and completion.status == FAILED:
        completion.result, completion.details = answer.fatal.reason, answer.fatal.details
    outcome.added.append(events.execution_completed(completion.event_id, completion.status, completion.result, at))


def _status(outcome: Outcome, instance: Instance, episode: Episode, replay: Replay) -> None:
    completion = outcome.completion
    outcome.status = SUSPENDED if replay.suspended else RUNNING
    outcome.output = instance.output if instance.status not in FINISHED else None
    for event in episode.new:
        if event["EventType"] in (events.SUSPENDED, events.RESUMED):
            outcome.output = event["Reason"]
    if completion is not None and completion.status != CONTINUED_AS_NEW:
        outcome.status = completion.status
        outcome.output = completion.result


def fail(reason: str) -> Answer:
    """An answer that fails the orchestration with `reason` as its output, without asking its function."""
    return Answer([], fatal=OrchestrationFailed(reason, reason))


def reject(why: str) -> Answer:
    """An answer that fails an orchestration whose version does not fit, in the framework's words."""
    reason = "VersionMismatch: Orchestration version did not comply with Worker Versioning"
    return Answer([], fatal=OrchestrationFailed(reason, reason), outright=True, notes=(why,))
