"""Runs a function by hand, as POST /admin/functions/{name} does: what its trigger would have given it is made up."""

import contextlib
from typing import cast

from azure.functions import meta

from local.host.core.errors import HostStopping
from local.host.core.functions import Function
from local.host.core.logs import host_log
from local.host.eventgrid import webhook
from local.host.running import RunningApp
from local.host.worker.calls import HOST_API_REASON, Call
from local.host.worker.failures import RunFailed


async def run_by_hand(app: RunningApp, function: Function, text: str) -> None:
    """Run it; the outcome is in the log only, as in Azure."""
    if function.trigger.type == "timerTrigger":
        await app.timers.run_by_hand(function)
        return
    try:
        call = await _call(app, function, text)
    except Exception as error:  # noqa: BLE001 - whatever stands in the way of the made-up trigger goes to the log
        host_log.error("Function '%s' was not run by hand: %s", function.name, str(error).partition("\n")[0])
        return
    with contextlib.suppress(RunFailed, HostStopping):  # logged by the dispatcher
        await app.dispatcher.run(function, call)


async def _call(app: RunningApp, function: Function, text: str) -> Call:
    match function.trigger.type:
        case "queueTrigger":
            from local.host.storage import queues  # noqa: PLC0415 - already loaded by such an app

            metadata = queues.manual_metadata(app.clock.now())
            return queues.queue_call(function, text.encode(), metadata, HOST_API_REASON)
        case "serviceBusTrigger":
            from local.host.servicebus import messages  # noqa: PLC0415 - as above

            return messages.manual_call(function, text, HOST_API_REASON)
        case "blobTrigger":
            from local.host.storage import blobs  # noqa: PLC0415 - as above

            store = cast("blobs.Blobs", app.dispatcher.inputs["blob"])
            return await store.call_for(function, text, HOST_API_REASON)
        case "eventGridTrigger":
            return webhook.manual_call(function, text, HOST_API_REASON)
        case "activityTrigger":
            return Call(HOST_API_REASON, meta.Datum(text, "json"))
        case other:
            raise ValueError(f"a function with the trigger {other} has to be called in the way that it is meant for.")
