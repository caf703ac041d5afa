"""Brings up the bindings that an app uses, and loads the SDK of a service only when one needs it."""

from pathlib import Path

from local.host.clock import Clock
from local.host.dispatch import Dispatcher
from local.host.functions import FunctionError, FunctionTable
from local.host.settings import HostJson


class Bindings:
    """Queues, Service Bus and blobs of one app."""

    def __init__(self, dispatcher: Dispatcher, host_json: HostJson, clock: Clock, data: Path) -> None:
        self._dispatcher = dispatcher
        self._host_json = host_json
        self._clock = clock
        self._data = data

    def load(self, table: FunctionTable) -> None:
        """Register the inputs and outputs that the functions name."""

    async def start(self, table: FunctionTable) -> list[FunctionError]:
        """Listen to what the functions are triggered by."""
        return []

    async def stop(self) -> None:
        """Stop listening."""
