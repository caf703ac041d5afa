"""Plays an SDK answer into a replay, as the extension's OutOfProcOrchestrationShim does.

The answer lists every action since the beginning. They are played one after another, each awaited, and what goes wrong
in one is swallowed: the SDK learns of outcomes from the history alone.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from local.host.durable.model import dotnet, entities
from local.host.durable.model.known import Kind, KnownFunctions
from local.host.durable.model.options import DurableOptions
from local.host.durable.replay.answers import WHEN_ANY, ActionRefused, Answer, failure, unhandled
from local.host.durable.replay.replay import Replay
from local.host.durable.replay.tasks import Task, TaskFault, drive, when_all, when_any

HTTP_ACTIVITY = "BuiltIn::HttpActivity"
LONGEST_TIMER = timedelta(days=6)

CALL_ACTIVITY = 0
CALL_ACTIVITY_WITH_RETRY = 1
CALL_CHILD = 2
CALL_CHILD_WITH_RETRY = 3
CONTINUE_AS_NEW = 4
CREATE_TIMER = 5
WAIT_FOR_EVENT = 6
CALL_ENTITY = 7
CALL_HTTP = 8
SIGNAL_ENTITY = 9
WHEN_ALL = 12
_PLAIN = (CALL_ACTIVITY, CALL_CHILD, CALL_ENTITY, CALL_HTTP)
_NOT_COUNTED = (CONTINUE_AS_NEW, WAIT_FOR_EVENT, WHEN_ANY, WHEN_ALL)


class RefusedFault(TaskFault):
    """The task of an action that was not scheduled; not to be retried."""


class Player:
    """Plays one answer. After the replay it knows whether the turn waits for no more than a WhenAll's successes."""

    def __init__(self, answer: Answer, known: KnownFunctions, now: str, options: DurableOptions) -> None:
        self._answer = answer
        self._known = known
        self._now = now
        self._options = options
        self._actions_left = options.max_orchestration_actions
        self.waiting_for_all = False
        self._plays: dict[int, Callable[[Replay, dict[str, Any]], Task]] = {
            CALL_ACTIVITY: self._call_activity,
            CALL_ACTIVITY_WITH_RETRY: self._start_retry,
            CALL_CHILD: self._call_child,
            CALL_CHILD_WITH_RETRY: self._start_retry,
            CONTINUE_AS_NEW: self._continue_as_new,
            CREATE_TIMER: self._create_timer,
            WAIT_FOR_EVENT: self._wait_for_event,
            CALL_ENTITY: self._entity,
            CALL_HTTP: self._call_http,
            SIGNAL_ENTITY: self._entity,
            WHEN_ANY: self._when_any,
            WHEN_ALL: self._when_all,
        }

    async def play(self, replay: Replay) -> str | None:
        """Run all actions; the output as JSON text. Never returns while the SDK said that it is not done."""
        answer = self._answer
        if answer.fatal is not None:
            raise answer.fatal
        last = len(answer.actions) - 1
        for index, action in enumerate(answer.actions):
            try:
                task = self._invoke(replay, action)
                self.waiting_for_all = index == last and not task.done and _is_plain_all(action)
                await task
            except TaskFault:
                pass  # the SDK learns of it from the history
            except ActionRefused as refused:
                text = str(refused)
                raise (failure(replay.name, text) if answer.error is None else unhandled(text)) from refused
            self.waiting_for_all = False
        if answer.error is not None:
            raise failure(replay.name, answer.error)
        if not answer.is_done:
            await Task()
        return None if answer.output is None else dotnet.to_json(answer.output)

    def _invoke(self, replay: Replay, action: dict[str, Any]) -> Task:
        kind = action.get("actionType", -1)
        play = self._plays.get(kind)
        if play is None:
            raise ActionRefused(f"Received an unexpected action type from the out-of-proc function: '${kind}'.")
        if kind not in _NOT_COUNTED:
            if not self._actions_left:
                return _refuse(
                    replay,
                    action,
                    f"Maximum amount of orchestration actions ({self._options.max_orchestration_actions}) has been "
                    "reached. This value can be configured in host.json file as MaxOrchestrationActions.",
                    "Continue as new, use sub-orchestrations, or raise maxOrchestrationActions.",
                )
            self._actions_left -= 1
        return play(replay, action)

    def _when_all(self, replay: Replay, action: dict[str, Any]) -> Task:
        return when_all([self._invoke(replay, part) for part in action["compoundActions"]])

    def _when_any(self, replay: Replay, action: dict[str, Any]) -> Task:
        if not action["compoundActions"]:
            raise ActionRefused("The tasks argument contains no tasks. (Parameter 'tasks')")
        return when_any([self._invoke(replay, part) for part in action["compoundActions"]])

    def _start_retry(self, replay: Replay, action: dict[str, Any]) -> Task:
        return drive(self._retry(replay, action))

    @staticmethod
    def _continue_as_new(replay: Replay, action: dict[str, Any]) -> Task:
        replay.continue_as_new(_text(action.get("input")))
        return _DONE

    @staticmethod
    def _create_timer(replay: Replay, action: dict[str, Any]) -> Task:
        fire_at = dotnet.timestamp(dotnet.parse_time(action["fireAt"]))
        return replay.create_timer(fire_at, cancelled=bool(action.get("isCanceled")))

    @staticmethod
    def _wait_for_event(replay: Replay, action: dict[str, Any]) -> Task:
        return replay.wait_for_event(action["externalEventName"])

    @staticmethod
    def _call_http(replay: Replay, action: dict[str, Any]) -> Task:
        return replay.call_activity(HTTP_ACTIVITY, dotnet.to_json(action["httpRequest"]))

    def _missing(self, replay: Replay, action: dict[str, Any], kind: Kind) -> Task:
        text = self._known.missing(kind, action.get("functionName") or _entity_id(action)[0])
        return _refuse(replay, action, text, "Correct the name or add the function, then terminate this instance.")

    def _call_activity(self, replay: Replay, action: dict[str, Any]) -> Task:
        name: str = action["functionName"]
        if not self._known.has("activity", name) and name != HTTP_ACTIVITY:
            return self._missing(replay, action, "activity")
        return replay.call_activity(name, action.get("input"))

    def _call_child(self, replay: Replay, action: dict[str, Any]) -> Task:
        name: str = action["functionName"]
        if not self._known.has("orchestrator", name):
            return self._missing(replay, action, "orchestrator")
        child_id: str | None = action.get("instanceId")
        if child_id and child_id.lower() in (replay.instance_id.lower(), (replay.parent_instance_id or "").lower()):
            text = (
                "The instance ID of a sub-orchestration must be different than the instance ID of a parent "
                f"orchestration ('{child_id}')."
            )
            return _refuse(replay, action, text, "Give the child an id of its own, or none.")
        if child_id and child_id.startswith("@"):
            text = f"Orchestration instance ids must not start with @ ('{child_id}')."
            return _refuse(replay, action, text, "Give the child another id, or none.")
        version: str | None = action.get("version")
        if version is None:
            version = self._options.default_version
        return replay.call_child(name, version, child_id, _text(action.get("input")))

    async def _retry(self, replay: Replay, action: dict[str, Any]) -> None:
        """RetryInterceptor: a timer after every failed attempt, one due at once after the last (the SDK counts it)."""
        options = action["retryOptions"]
        if timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"]) > LONGEST_TIMER:
            text = "The Azure Storage provider supports a maximum of 6 days for time-based delays"
            await _refuse(replay, action, text, "Choose a shorter first retry interval.")
        attempts = int(options["maxNumberOfAttempts"])
        invoke = self._call_activity if action["actionType"] == CALL_ACTIVITY_WITH_RETRY else self._call_child
        first_attempt = dotnet.parse_time(replay.current_time)
        for attempt in range(attempts):
            try:
                await invoke(replay, action)
            except RefusedFault:
                raise
            except TaskFault as fault:
                last = fault
            else:
                return
            now = dotnet.parse_time(replay.current_time)
            if attempt + 1 == attempts:
                await replay.create_timer(replay.current_time)
                raise last
            delay = _delay(options, attempt)
            timeout = options.get("retryTimeoutInMilliseconds")
            if timeout and now >= first_attempt + timedelta(milliseconds=timeout):
                raise last
            await replay.create_timer(dotnet.timestamp(now + delay))

    def _entity(self, replay: Replay, action: dict[str, Any]) -> Task:
        name, key = _entity_id(action)
        if not self._known.has("entity", name):
            return self._missing(replay, action, "entity")
        signal = action["actionType"] == SIGNAL_ENTITY
        request_id = replay.send_operation(
            f"@{name}@{key}",
            action.get("operation") or "",
            _text(action.get("input")),
            signal=signal,
            requested=self._now.removesuffix("Z") + "+00:00",
        )
        return _DONE if signal else replay.wait_for_event(request_id)


def _entity_id(action: dict[str, Any]) -> tuple[str, str]:
    name, key = entities.split_id(action["instanceId"])
    return name.lower(), key


def _is_plain_all(action: dict[str, Any]) -> bool:
    return action.get("actionType") == WHEN_ALL and all(
        part.get("actionType") in _PLAIN for part in action["compoundActions"]
    )


def _delay(options: dict[str, Any], attempt: int) -> timedelta:
    milliseconds = options["firstRetryIntervalInMilliseconds"] * (options.get("backoffCoefficient") or 1.0) ** attempt
    longest = options.get("maxRetryIntervalInMilliseconds")
    return timedelta(milliseconds=min(milliseconds, longest) if longest else milliseconds)


def _text(value: Any) -> str | None:
    return None if value is None else dotnet.to_json(value)


def _refuse(replay: Replay, action: dict[str, Any], text: str, remedy: str) -> Task:
    """What the extension does not schedule: a signal fails the orchestration, whatever has a task waits for ever."""
    if action["actionType"] == SIGNAL_ENTITY:
        raise ActionRefused(text)
    replay.notes.append(f"{text} Nothing was scheduled, so it waits for ever, here as in Azure. {remedy}")
    task = Task()
    task.finish(RefusedFault(text))
    return task


_DONE = Task()
_DONE.finish()
