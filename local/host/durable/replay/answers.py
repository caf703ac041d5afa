"""Reads what an orchestrator's invocation came to: the SDK's answer, be it returned or inside its exception."""

import json
from dataclasses import dataclass
from typing import Any

from local.host.core.credentials import sanitize
from local.host.durable.model import dotnet
from local.host.durable.model.ports import FunctionFailed
from local.host.durable.replay.tasks import OrchestrationFailed

WHEN_ANY = 11
MAX_CUSTOM_STATUS_KB = 16
_UTF16_CHARACTERS_PER_KB = 512
_OUT_OF_PROC = "\n\n$OutOfProcData$:"
_ENDS_WORKER = (
    "The orchestrator raised what is no Exception (SystemExit, KeyboardInterrupt). Here that fails this instance "
    "alone; in Azure it ends the worker's process and the instance may end as non-deterministic. Raise an "
    "Exception instead."
)
_HIDDEN = (
    "The error's text, or something that the orchestrator passed on, looks like a credential (?sig=, ?code=, key=, "
    "Password=, ...), which the Functions host hides, and the SDK's answer with it: the instance fails with another "
    "error, or as non-deterministic, here as in Azure. Keep signed URLs and connection strings out of both."
)
_STACK = (
    "   at Microsoft.Azure.WebJobs.Extensions.DurableTask.TaskOrchestrationShim.InvokeUserCodeAndHandleResults("
    "RegisteredFunctionInfo orchestratorInfo, OrchestrationContext innerContext)"
)


class ActionRefused(Exception):
    """The extension throws at what it is given, which fails the orchestration; what a task throws is swallowed."""


@dataclass(slots=True)
class Answer:
    """What one invocation of an orchestrator function came to.

    `fatal` fails the orchestration before any action, so that one which had scheduled something is non-deterministic;
    `outright` keeps its own text even then. `notes` are for the developer.
    """

    actions: list[dict[str, Any]]
    is_done: bool = False
    output: Any = None
    error: str | None = None
    custom_status: str | None = None
    fatal: OrchestrationFailed | None = None
    outright: bool = False
    notes: tuple[str, ...] = ()


def read_answer(name: str, text: str | None) -> Answer:
    """The SDK's answer; one that is no valid answer fails the orchestration, as in the extension."""
    try:
        return _read(text)
    except ActionRefused as refused:
        return Answer([], fatal=failure(name, str(refused)))


def _read(text: str | None) -> Answer:
    try:
        parsed = json.loads(text or "")
        groups = parsed["actions"]
        schema = parsed.get("schemaVersion", 0)
        [only] = groups if schema else [None]  # newer schemas have exactly one list
        actions = only or [{"actionType": WHEN_ANY, "compoundActions": group} for group in groups if group]
    except (ValueError, KeyError, TypeError) as error:
        raise ActionRefused("Out of proc orchestrators must return a valid JSON schema") from error
    status = parsed.get("customStatus")
    status_text = None if status is None else dotnet.to_json(status)
    kilobytes = len(status_text or "") // _UTF16_CHARACTERS_PER_KB
    if kilobytes > MAX_CUSTOM_STATUS_KB:
        raise ActionRefused(
            f"The UTF-16 size of the JSON-serialized payload must not exceed {MAX_CUSTOM_STATUS_KB} KB. The current "
            f"payload size is {kilobytes} KB."
        )
    return Answer(actions, bool(parsed.get("isDone")), parsed.get("output"), parsed.get("error") or None, status_text)


def read_failure(name: str, failure: FunctionFailed) -> Answer:
    """The answer inside the SDK's exception; a failure outside the SDK fails the orchestration with its own text."""
    message = sanitize(failure.message)  # all of it, as in the Functions host: the answer may be hidden with it
    hidden = (_HIDDEN,) if message != failure.message else ()
    _, marker, state = message.partition(_OUT_OF_PROC)
    if marker:
        try:
            return _read(state)
        except ActionRefused as refused:
            return Answer([], fatal=unhandled(str(refused)), notes=hidden)
    error, stack = f"{failure.type_name}: {message}", sanitize(failure.stack)
    if failure.ends_worker:
        cause, note = error, _ENDS_WORKER
    else:
        cause = f"One or more errors occurred. ({dotnet.rpc_message(error, stack)})"
        note = (
            f"The orchestrator's function raised {error} where the SDK does not catch it. Had it scheduled anything "
            "before, the instance ends as non-deterministic, here as in Azure: look for this error, not for a change."
        )
    reason = f"Orchestrator function '{name}' failed: {cause}"
    fatal = OrchestrationFailed(reason, dotnet.activity_exception(error, stack))
    return Answer([], fatal=fatal, outright=failure.ends_worker, notes=hidden or (note,))


def failure(name: str, text: str) -> OrchestrationFailed:
    """The failure of the orchestrator `name`, worded as the extension does."""
    return OrchestrationFailed(
        f"Orchestrator function '{name}' failed: {text}", f"Message: {text}, StackTrace: {_STACK}"
    )


def unhandled(text: str) -> OrchestrationFailed:
    """A failure while a failure is being handled: it gets past what puts the orchestrator's name before it."""
    return OrchestrationFailed(text, f"Unhandled exception while executing orchestration: {text}")
