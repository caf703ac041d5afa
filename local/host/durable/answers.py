"""Reads what an orchestrator's invocation came to: the SDK's answer, be it returned or inside its exception."""

import json
from dataclasses import dataclass
from typing import Any

from local.host.durable import dotnet
from local.host.durable.ports import FunctionFailed
from local.host.durable.tasks import OrchestrationFailed

WHEN_ANY = 11
MAX_CUSTOM_STATUS_KB = 16
_UTF16_CHARACTERS_PER_KB = 512
_OUT_OF_PROC = "\n\n$OutOfProcData$:"
_ENDS_WORKER = (
    "The orchestrator raised what is no Exception (SystemExit, KeyboardInterrupt). Here that fails this instance "
    "alone; in Azure it ends the worker's process and the instance may end as non-deterministic. Raise an "
    "Exception instead."
)
_STACK = (
    "   at Microsoft.Azure.WebJobs.Extensions.DurableTask.TaskOrchestrationShim.InvokeUserCodeAndHandleResults("
    "RegisteredFunctionInfo orchestratorInfo, OrchestrationContext innerContext)"
)


@dataclass(slots=True)
class Answer:
    """What one invocation of an orchestrator function came to.

    `fatal` fails the orchestration before any action, so that one which had scheduled something is non-deterministic;
    `outright` keeps its own text even then. `notes` tell the developer more.
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
        parsed = json.loads(text or "")
        groups = parsed["actions"]
        schema = parsed.get("schemaVersion", 0)
        [only] = groups if schema else [None]  # newer schemas have exactly one list
        actions = only or [{"actionType": WHEN_ANY, "compoundActions": group} for group in groups if group]
    except (ValueError, KeyError, TypeError):
        return _failed(name, "Out of proc orchestrators must return a valid JSON schema")
    status = parsed.get("customStatus")
    status_text = None if status is None else dotnet.to_json(status)
    kilobytes = len(status_text or "") // _UTF16_CHARACTERS_PER_KB
    if kilobytes > MAX_CUSTOM_STATUS_KB:
        return _failed(
            name,
            f"The UTF-16 size of the JSON-serialized payload must not exceed {MAX_CUSTOM_STATUS_KB} KB. The current "
            f"payload size is {kilobytes} KB.",
        )
    return Answer(actions, bool(parsed.get("isDone")), parsed.get("output"), parsed.get("error") or None, status_text)


def read_failure(name: str, failure: FunctionFailed) -> Answer:
    """The answer inside the SDK's exception; a failure outside the SDK fails the orchestration with its own text."""
    message = dotnet.sanitize(failure.message)  # all of it, as in the Functions host: the answer may be hidden with it
    _, marker, state = message.partition(_OUT_OF_PROC)
    if marker:
        return read_answer(name, state)
    error, stack = f"{failure.type_name}: {message}", dotnet.sanitize(failure.stack)
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
    return Answer([], fatal=fatal, outright=failure.ends_worker, notes=(note,))


def _failed(name: str, text: str) -> Answer:
    return Answer([], fatal=failure(name, text))


def failure(name: str, text: str) -> OrchestrationFailed:
    """The failure of the orchestrator `name`, worded as the extension does."""
    return OrchestrationFailed(
        f"Orchestrator function '{name}' failed: {text}", f"Message: {text}, StackTrace: {_STACK}"
    )
