"""Runs one activity and says what its outcome is in the history."""

import json
from collections.abc import Callable

from local.host.core.credentials import sanitize
from local.host.durable.model import dotnet, events
from local.host.durable.model.events import Event
from local.host.durable.model.ports import DurableFunctions, FunctionFailed
from local.host.durable.model.records import Activity
from local.host.durable.replay.player import HTTP_ACTIVITY


async def run(activity: Activity, functions: DurableFunctions, now: Callable[[], str]) -> Event:
    """The TaskCompleted or TaskFailed of the activity. Raises HostStopping when it was aborted."""
    payload = "null" if activity.input_text is None else activity.input_text
    if activity.name == HTTP_ACTIVITY:
        from local.host.durable.taskhub import http_activity  # noqa: PLC0415 - few apps call, and httpx would delay every start

        try:
            result = await http_activity.send(payload)
        except http_activity.RequestFailed as failure:
            message = str(failure)
            return events.task_failed(activity.event_id, message, dotnet.http_exception(message), now())
        return events.task_completed(activity.event_id, result, now())
    try:
        answer = await functions.run_activity(activity.name, payload, activity.instance_id)
    except FunctionFailed as failure:
        error = sanitize(f"{failure.type_name}: {failure.message}")
        reason = f"Activity function '{activity.name}' failed: {error}"
        details = dotnet.activity_exception(error, sanitize(failure.stack))
        return events.task_failed(activity.event_id, reason, details, now())
    return events.task_completed(activity.event_id, _normal(answer), now())


def _normal(answer: str | None) -> str | None:
    """The result as Newtonsoft writes it again; null is no result."""
    if answer is None:
        return None
    value = json.loads(answer)
    return None if value is None else dotnet.to_json(value)
