"""Durable Functions' backend: the task hub, what runs on it, and the management API as two ASGI applications."""

import sqlite3
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from local.host.core.clock import Clock
from local.host.core.database import DatabaseUnusable, unreadable
from local.host.durable.management import status
from local.host.durable.management.http_api import HttpApi, application
from local.host.durable.management.links import Links
from local.host.durable.management.operations import Operations
from local.host.durable.management.timeline import timeline
from local.host.durable.model.options import DurableOptions
from local.host.durable.model.ports import DurableFunctions, Resumed
from local.host.durable.sdk import entity_errors
from local.host.durable.sdk.caches import cache_sdk as put_sdk_caches
from local.host.durable.taskhub.dispatcher import Dispatcher
from local.host.durable.taskhub.hub import NAME, Hub

GRACE_SECONDS = 1.0


class DurableExtension:
    """One task hub and everything that runs on it. `hub_path` is the hub's SQLite file; its folder is made.

    Raises DatabaseUnusable when another process has the file or it is damaged.
    """

    def __init__(
        self,
        functions: DurableFunctions,
        options: DurableOptions,
        hub_path: Path,
        clock: Clock,
        *,
        cache_sdk: bool = True,
    ) -> None:
        if cache_sdk:
            put_sdk_caches()
        entity_errors.log_tracebacks()
        self._hub_path = hub_path
        self._hub = Hub(hub_path)
        self._dispatcher = Dispatcher(functions, options, self._hub, clock)
        self._links = Links(options.hub_name)
        self.operations = Operations(functions, options, self._dispatcher.instances)
        api = HttpApi(self.operations, self._links, self._dispatcher.instances.wait_finished)
        self.management: Starlette = application(api)
        self.rpc: Starlette = application(api, "/durabletask")

    @property
    def idle(self) -> bool:
        """Whether no durable work runs or is about to, call_http and what is being committed included."""
        return self._dispatcher.idle

    async def start(self) -> Resumed:
        """Resume what was running when the last process ended. Raises DatabaseUnusable when the hub cannot be read."""
        try:
            return self._dispatcher.start()
        except (sqlite3.DatabaseError, ValueError, RecursionError) as error:
            raise DatabaseUnusable(unreadable(self._hub_path, NAME, error)) from error

    async def stop(self) -> None:
        """Finish the current turns within a grace time; what does not finish runs again at the next start."""
        await self._dispatcher.stop(GRACE_SECONDS)
        self._hub.close()

    def client_binding(self, base_url: str, key: str, rpc_base_url: str) -> str:
        """The JSON text of a durableClient input.

        `base_url` is the webhook's (`http://localhost:7071/runtime/webhooks/durabletask`), `rpc_base_url` ends in a
        slash. The key is also the one that the links of later starts carry.
        """
        self._links.key = key
        return self._links.client_binding(base_url, rpc_base_url)

    async def wait_finished(self, instance_id: str, seconds: float) -> None:
        """Return when the orchestration has ended, or after so many seconds of real time."""
        await self._dispatcher.instances.wait_finished(instance_id, seconds)

    def newest(self, limit: int, *, entities: bool) -> list[dict[str, Any]]:
        """The status objects of the orchestrations created last, or of the entities used last, the newest first."""
        found = self.operations.newest(limit, entities=entities)
        return [status.shown(one, show_input=entities, history=None, show_output=True) for one in found]

    def details(self, instance_id: str) -> dict[str, Any] | None:
        """One instance's status object with its `timeline` and `diagnosis`; None when there is none of that id."""
        instance = self._dispatcher.instances.state(instance_id)
        if instance is None:
            return None
        history = [] if instance.is_entity else self.operations.history(instance)
        shown = status.shown(instance, show_input=True, history=None, show_output=True)
        drawn = timeline(history, self._dispatcher.instances.now_text())
        return {**shown, "timeline": drawn, "diagnosis": list(instance.notes)}

    def diagnosis(self, instance_id: str) -> list[str]:
        """Why an instance hangs or lost something that Azure would lose in silence, each with the remedy."""
        instance = self._dispatcher.instances.state(instance_id)
        return [] if instance is None else list(instance.notes)
