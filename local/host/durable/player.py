"""Plays an SDK answer into a replay, as the extension's OutOfProcOrchestrationShim does.

The answer lists every action since the beginning. They are played one after another, each awaited, and what goes wrong
in one is swallowed: the SDK learns of outcomes from the history alone.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from local.host.durable import dotnet
from local.host.durable.ports import DurableFunctions, FunctionFailed
from local.host.durable.replay import Replay
from local.host.durable.tasks import OrchestrationFailed, Task, TaskFault, drive, when_all, when_any

HTTP_ACTIVITY = "BuiltIn::HttpActivity"
_OUT_OF_PROC = "\n\n$OutOfProcData$:"
_STACK = (
    "   at Microsoft.Azure.WebJobs.Extensions.DurableTask.TaskOrchestrationShim.InvokeUserCodeAndHandleResults("
    "RegisteredFunctionInfo orchestratorInfo, OrchestrationContext innerContext)"
)

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
SCHEDULED_SIGNAL_ENTITY = 10
WHEN_ANY = 11
WHEN_ALL = 12
_PLAIN = (CALL_ACTIVITY, CALL_CHILD, CALL_ENTITY, CALL_HTTP)


@dataclass(slots=True)
class Answer:
    """What one invocation of an orchestrator function came to. `fatal` fails the orchestration before any action."""

    actions: list[dict[str, Any]]
    is_done: bool = False
    output: Any = None
    error: str | None = None
    custom_status: Any = None
    fatal: OrchestrationFailed | None = None


def read_answer(name: str, text: str | None) -> Answer:
    """The SDK's answer; one that is no valid answer fails the orchestration, as in the extension."""
    try:
        parsed = json.loads(text or "")
        groups = parsed["actions"]
        schema = parsed.get("schemaVersion", 0)
        [only] = groups if schema else [None]  # newer schemas have exactly one list
        actions = only if only is not None else [{"actionType": WHEN_ANY, "compoundActions": group} for group in groups]
    except (ValueError, KeyError, TypeError):
        reason = f"Orchestrator function '{name}' failed: Out of proc orchestrators must return a valid JSON schema."
        return Answer([], fatal=OrchestrationFailed(reason, f"Message: {reason}, StackTrace: {_STACK}"))
    return Answer(
        actions,
        bool(parsed.get("isDone")),
        parsed.get("output"),
        parsed.get("error") or None,
        parsed.get("customStatus"),
    )


def read_failure(name: str, failure: FunctionFailed) -> Answer:
    """The answer inside the SDK's exception; a failure outside the SDK fails the orchestration with its own text."""
    _, marker, state = failure.message.partition(_OUT_OF_PROC)
    if marker:
        answer = read_answer(name, state)
        if answer.fatal is None:
            return answer
    error = dotnet.sanitize(f"{failure.type_name}: {failure.message}")
    reason = f"Orchestrator function '{name}' failed: {error}"
    return Answer([], fatal=OrchestrationFailed(reason, dotnet.activity_exception(error, failure.stack)))


@dataclass(frozen=True, slots=True)
class KnownFunctions:
    """Names of the app's functions in lower case: look-ups ignore case."""

    orchestrators: Collection[str]
    activities: Collection[str]
    entities: Collection[str]

    @classmethod
    def of(cls, functions: DurableFunctions) -> "KnownFunctions":
        """The app's functions as they are now: a reload may bring others."""
        return cls(
            {name.lower() for name in functions.orchestrators},
            {name.lower() for name in functions.activities},
            {name.lower() for name in functions.entities},
        )


class Player:
    """Plays one answer. After the replay it knows whether the turn waits for no more than a WhenAll's successes."""

    def __init__(self, answer: Answer, known: KnownFunctions, now: str, max_actions: int) -> None:
        self._answer = answer
        self._known = known
        self._now = now
        self._max_actions = max_actions
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
            SCHEDULED_SIGNAL_ENTITY: self._entity,
            WHEN_ANY: self._when_any,
            WHEN_ALL: self._when_all,
        }

    async def play(self, replay: Replay) -> str | None:
        """Run all actions; the output as JSON text. Never returns while the SDK said that it is not done."""
        answer = self._answer
        if answer.fatal is not None:
            raise answer.fatal
        last = len(answer.actions) - 1
        for index, action in enumerate(answer.actions[: self._max_actions]):
            try:
                task = self._invoke(replay, action)
                self.waiting_for_all = index == last and not task.done and _is_plain_all(action)
                await task
            except TaskFault:
                pass  # the SDK learns of it from the history
            self.waiting_for_all = False
        if answer.error is not None:
            raise OrchestrationFailed(
                f"Orchestrator function '{replay.name}' failed: {answer.error}",
                f"Message: {answer.error}, StackTrace: {_STACK}",
            )
        if not answer.is_done:
            await Task()
        return None if answer.output is None else dotnet.to_json(answer.output)

    def _invoke(self, replay: Replay, action: dict[str, Any]) -> Task:
        play = self._plays.get(action.get("actionType", -1))
        if play is not None:
            return play(replay, action)
        kind = action.get("actionType")
        replay.notes.append(
            f"The SDK answered with the action type {kind!r}, which the extension does not know and skips. "
            "Check that the versions of azure-functions-durable and of the extension belong together."
        )
        return _fault(f"Received an unexpected action type from the out-of-proc function: '${kind}'.")

    def _when_all(self, replay: Replay, action: dict[str, Any]) -> Task:
        return when_all([self._invoke(replay, part) for part in action["compoundActions"]])

    def _when_any(self, replay: Replay, action: dict[str, Any]) -> Task:
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

    def _unknown(self, replay: Replay, kind: str, name: str, known: Collection[str]) -> Task:
        names = ", ".join(f"'{one}'" for one in sorted(known)) or "none"
        replay.notes.append(
            f"It called the {kind} '{name}', which this app does not have (it has: {names}). Nothing was scheduled, so "
            f"it waits for ever, here as in Azure. Correct the name or add the function, then terminate this instance."
        )
        return _fault(f"The function '{name}' doesn't exist, is disabled, or is not an {kind} function.")

    def _call_activity(self, replay: Replay, action: dict[str, Any]) -> Task:
        name: str = action["functionName"]
        if name.lower() not in self._known.activities and name != HTTP_ACTIVITY:
            return self._unknown(replay, "activity", name, self._known.activities)
        return replay.call_activity(name, action.get("input"))

    def _call_child(self, replay: Replay, action: dict[str, Any]) -> Task:
        name: str = action["functionName"]
        if name.lower() not in self._known.orchestrators:
            return self._unknown(replay, "orchestrator", name, self._known.orchestrators)
        child_id = action.get("instanceId")
        if child_id and child_id in (replay.instance_id, replay.parent_instance_id):
            whose = "own" if child_id == replay.instance_id else "parent's"
            replay.notes.append(
                f"It called the sub-orchestration '{name}' with its {whose} instance id, which is refused in silence, "
                "so it waits for ever, here as in Azure. Give the child an id of its own, or none."
            )
            return _fault("The sub-orchestration's instance id is its caller's or its caller's parent's.")
        return replay.call_child(name, action.get("version"), child_id, _text(action.get("input")))

    async def _retry(self, replay: Replay, action: dict[str, Any]) -> None:
        """RetryInterceptor: a timer after every failed attempt, one due at once after the last (the SDK counts it)."""
        options = action["retryOptions"]
        kind, known = (
            ("activity", self._known.activities)
            if action["actionType"] == CALL_ACTIVITY_WITH_RETRY
            else ("orchestrator", self._known.orchestrators)
        )
        if action["functionName"].lower() not in known:
            await self._unknown(replay, kind, action["functionName"], known)
        attempts = int(options["maxNumberOfAttempts"])
        invoke = self._call_activity if action["actionType"] == CALL_ACTIVITY_WITH_RETRY else self._call_child
        first_attempt = dotnet.parse_time(replay.current_time)
        for attempt in range(attempts):
            try:
                await invoke(replay, action)
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
        name, _, key = action["instanceId"].removeprefix("@").partition("@")
        if name.lower() not in self._known.entities:
            return self._unknown(replay, "entity", name, self._known.entities)
        target = f"@{name.lower()}@{key}"
        signal = action["actionType"] != CALL_ENTITY
        due = action.get("scheduledTime")
        request_id = replay.send_operation(
            target,
            action.get("operation") or "",
            _text(action.get("input")),
            signal=signal,
            now=self._now.removesuffix("Z") + "+00:00",
            due=dotnet.timestamp(dotnet.parse_time(due)) if due else None,
        )
        return _DONE if signal else replay.wait_for_event(request_id)


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


def _fault(message: str) -> Task:
    task = Task()
    task.finish(TaskFault(message))
    return task


_DONE = Task()
_DONE.finish()
