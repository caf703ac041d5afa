"""Runs a function by hand, as POST /admin/functions/{name} does: what its trigger would have given it is made up."""

import contextlib
from typing import TYPE_CHECKING, cast

from azure.functions import meta

from local.host.core.functions import Function
from local.host.core.logs import host_log
from local.host.durable.model.ports import HostStopping
from local.host.worker.dispatch import HOST_API_REASON, Call
from local.host.worker.worker import RunFailed

if TYPE_CHECKING:
    from local.host.host import Host


async def run_by_hand(host: "Host", function: Function, text: str) -> None:
    """Run it; the outcome is in the log only, as in Azure."""
    if function.trigger.type == "timerTrigger":
        await host.timers.run_by_hand(function)
        return
    try:
        call = await _call(host, function, text)
    except Exception as error:  # noqa: BLE001 - whatever stands in the way of the made-up trigger goes to the log
        host_log.error("Function '%s' was not run by hand: %s", function.name, str(error).partition("\n")[0])
        return
    with contextlib.suppress(RunFailed, HostStopping):  # logged by the dispatcher
        await host.dispatcher.run(function, call)


async def _call(host: "Host", function: Function, text: str) -> Call:
    match function.trigger.type:
        case "queueTrigger":
            from local.host.storage import queues as storage_queues  # noqa: PLC0415 - already loaded by such an app

            metadata = storage_queues.manual_metadata(host.clock.now())
            return storage_queues.queue_call(function, text.encode(), metadata, HOST_API_REASON)
        case "serviceBusTrigger":
            from local.host.servicebus import trigger as servicebus  # noqa: PLC0415 - as above

            return servicebus.manual_call(function, text, HOST_API_REASON)
        case "blobTrigger":
            from local.host.storage import blobs  # noqa: PLC0415 - as above

            store = cast("blobs.Blobs", host.dispatcher.inputs["blob"])
            return await store.call_for(function, text, HOST_API_REASON)
        case "activityTrigger":
            return Call(HOST_API_REASON, meta.Datum(text, "json"))
        case other:
            raise ValueError(f"a function with the trigger {other} has to be called in the way that it is meant for.")
