"""Brings up the bindings that an app uses, and loads the SDK of a service only when one needs it."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from local.host.core.clock import Clock
from local.host.core.errors import ConfigurationError
from local.host.core.functions import SDK_TYPE, Function, FunctionError, FunctionTable
from local.host.settings.connections import Clients
from local.host.settings.host_json import HostJson
from local.host.worker.dispatch import Dispatcher


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


class Bindings:
    """Queues, Service Bus, blobs and tables of one app."""

    def __init__(self, dispatcher: Dispatcher, host_json: HostJson, clock: Clock, data: Path) -> None:
        self._dispatcher = dispatcher
        self._clock = clock
        self._data = data
        self._host_json = host_json
        self._services: dict[str, Clients[Any]] = {}
        self._load = {
            "queue": self._load_queues,
            "blob": self._load_blobs,
            "table": self._load_tables,
            "serviceBus": self._load_service_bus,
        }
        self._make: dict[str, Callable[[Function], Listener]] = {}
        self._listeners: dict[str, Listener] = {}
        self._stopped: list[Listener] = []

    def load(self, table: FunctionTable) -> list[FunctionError]:
        """Load what the functions' bindings need; a function with a connection that cannot be is refused.

        Raises ConfigurationError for what host.json says of a service.
        """
        refused: list[FunctionError] = []
        enabled = [one for one in table.functions.values() if not one.disabled]
        for function, binding in [(one, binding) for one in enabled for binding in one.bindings]:
            service = binding.type.removesuffix("Trigger")
            if service not in self._load:
                continue
            if service not in self._services:
                self._services[service] = self._load[service]()
            parameter = function.inputs.get(binding.name)
            if binding is not function.trigger and parameter is not None and parameter.converter == SDK_TYPE:
                continue  # its client is made at each run, which fails without a connection, as in Azure
            try:
                self._services[service].client(binding.text("connection"))
            except ConfigurationError as error:
                refused.append(FunctionError(function.name, f"Binding '{binding.name}': {error}"))
        return refused

    def start(self, table: FunctionTable) -> list[FunctionError]:
        """Listen for every function of the table, and no longer for others; the ones that cannot are refused."""
        refused: list[FunctionError] = []
        wanted = {
            f"{one.name} {sorted(one.trigger.fields.items(), key=str)}": one
            for trigger in self._make
            for one in table.of_type(trigger)
        }
        for key in self._listeners.keys() - wanted.keys():
            listener = self._listeners.pop(key)
            listener.stop()
            self._stopped.append(listener)
        for key, function in wanted.items():
            if key in self._listeners:
                self._listeners[key].function = function
                continue
            try:
                self._listeners[key] = self._make[function.trigger.type](function)
            except ConfigurationError as error:
                refused.append(FunctionError(function.name, str(error)))
            else:
                self._listeners[key].start()
        return refused

    def stop(self) -> None:
        """Take nothing new."""
        for listener in self._listeners.values():
            listener.stop()

    async def close(self) -> None:
        """Wait until everything taken is dealt with, and close the services' clients."""
        await asyncio.gather(*(listener.ended() for listener in [*self._listeners.values(), *self._stopped]))
        await asyncio.gather(*(service.close() for service in self._services.values()))

    def _load_service_bus(self) -> Clients[Any]:
        from local.host.servicebus import namespaces, trigger  # noqa: PLC0415 - 0.3 s that only such an app pays

        bus = namespaces.ServiceBus(os.environ)
        self._dispatcher.outputs["serviceBus"] = bus
        self._make["serviceBusTrigger"] = lambda function: trigger.ServiceBusTrigger(
            bus, self._dispatcher, function, self._host_json
        )
        return bus

    def _load_queues(self) -> Clients[Any]:
        from local.host.storage import queue_trigger, queues  # noqa: PLC0415 - 0.2 s that only such an app pays

        service = queues.StorageQueues(os.environ, queues.options(self._host_json))
        self._dispatcher.outputs["queue"] = service
        self._make["queueTrigger"] = lambda function: queue_trigger.QueueTrigger(
            service, self._dispatcher, function, self._data
        )
        return service

    def _load_blobs(self) -> Clients[Any]:
        from local.host.storage import blob_trigger, blobs  # noqa: PLC0415 - 0.2 s that only such an app pays

        store = blobs.Blobs(os.environ)
        self._dispatcher.inputs["blob"] = store
        self._dispatcher.outputs["blob"] = store
        self._make["blobTrigger"] = lambda function: blob_trigger.BlobTrigger(
            store, self._dispatcher, function, self._data / "blobs", self._clock
        )
        return store

    def _load_tables(self) -> Clients[Any]:
        from local.host.storage import tables  # noqa: PLC0415 - 0.2 s that only such an app pays

        store = tables.Tables(os.environ)
        self._dispatcher.inputs["table"] = self._dispatcher.outputs["table"] = store
        return store
