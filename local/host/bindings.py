"""Brings up the bindings that an app uses, and loads the SDK of a service only when one needs it."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from local.host.clock import Clock
from local.host.connections import find_connection
from local.host.dispatch import Dispatcher
from local.host.functions import Binding, Function, FunctionTable
from local.host.settings import ConfigurationError, HostJson

_NEED_CONNECTION = {"queue", "queueTrigger", "blob", "blobTrigger", "serviceBus", "serviceBusTrigger"}


class Listener(Protocol):
    """Waits for what triggers one function. A reload gives it the function's new code."""

    function: Function

    def start(self) -> None:
        """Begin to listen."""
        ...

    def stop(self) -> None:
        """Take nothing new."""
        ...

    async def ended(self) -> None:
        """Return when what was taken is dealt with."""
        ...


class Service(Protocol):
    """The clients of one service, shared by the bindings to it."""

    async def close(self) -> None:
        """Close them."""
        ...


class Bindings:
    """Queues, Service Bus and blobs of one app."""

    def __init__(self, dispatcher: Dispatcher, host_json: HostJson, clock: Clock, data: Path) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._data = data
        self._host_json = host_json
        self._services: dict[str, Service] = {}
        self._make: dict[str, Callable[[Function], Listener]] = {}
        self._listeners: dict[str, Listener] = {}

    def load(self, table: FunctionTable) -> None:
        """Load what the functions' bindings need. Raises ConfigurationError when a connection has no settings."""
        enabled = [one for one in table.functions.values() if not one.disabled]
        for function in enabled:
            for binding in function.bindings:
                if binding.type in _NEED_CONNECTION:
                    _check_connection(function, binding)
        used = {binding.type for one in enabled for binding in one.bindings}
        if used & {"serviceBus", "serviceBusTrigger"} and "serviceBus" not in self._services:
            self._load_service_bus()
        if used & {"queue", "queueTrigger"} and "queue" not in self._services:
            self._load_queues()
        if used & {"blob", "blobTrigger"} and "blob" not in self._services:
            self._load_blobs()

    def start(self, table: FunctionTable) -> None:
        """Listen for every function of the table, and no longer for others. Raises ConfigurationError."""
        wanted = {
            f"{one.name} {sorted(one.trigger.fields.items(), key=str)}": one
            for trigger in self._make
            for one in table.of_type(trigger)
        }
        for key in self._listeners.keys() - wanted.keys():
            self._listeners.pop(key).stop()
        for key, function in wanted.items():
            if key in self._listeners:
                self._listeners[key].function = function
            else:
                listener = self._make[function.trigger.type](function)
                self._listeners[key] = listener
                listener.start()

    def stop(self) -> None:
        """Take nothing new."""
        for listener in self._listeners.values():
            listener.stop()

    async def close(self) -> None:
        """Wait until everything taken is dealt with, and close the services' clients."""
        await asyncio.gather(*(listener.ended() for listener in self._listeners.values()))
        await asyncio.gather(*(service.close() for service in self._services.values()))

    def _load_service_bus(self) -> None:
        from local.host import servicebus  # noqa: PLC0415 - 0.3 s that only such an app pays

        bus = servicebus.ServiceBus(os.environ)
        self._services["serviceBus"] = bus
        self._dispatcher.outputs["serviceBus"] = bus
        self._make["serviceBusTrigger"] = lambda function: servicebus.ServiceBusTrigger(
            bus, self._dispatcher, function, self._host_json
        )

    def _load_queues(self) -> None:
        from local.host import queue_trigger, storage_queues  # noqa: PLC0415 - 0.2 s that only such an app pays

        queues = storage_queues.StorageQueues(os.environ, storage_queues.options(self._host_json))
        self._services["queue"] = queues
        self._dispatcher.outputs["queue"] = queues
        self._make["queueTrigger"] = lambda function: queue_trigger.QueueTrigger(
            queues, self._dispatcher, function, self._data
        )

    def _load_blobs(self) -> None:
        from local.host import blob_trigger, blobs  # noqa: PLC0415 - 0.2 s that only such an app pays

        store = blobs.Blobs(os.environ)
        self._services["blob"] = store
        self._dispatcher.inputs["blob"] = store
        self._dispatcher.outputs["blob"] = store
        self._make["blobTrigger"] = lambda function: blob_trigger.BlobTrigger(
            store, self._dispatcher, function, self._data / "blobs", self._clock
        )


def _check_connection(function: Function, binding: Binding) -> None:
    try:
        find_connection(binding.text("connection"), os.environ)
    except ConfigurationError as error:
        raise ConfigurationError(f"Function '{function.name}', binding '{binding.name}': {error}") from error
