"""The host: puts settings, worker, triggers and the durable extension together, and takes them down again."""

import asyncio
import os
from contextlib import AsyncExitStack

from local.host.bindings import Bindings
from local.host.core.clock import Clock, SystemClock
from local.host.core.errors import ConfigurationError
from local.host.core.folders import private_folder
from local.host.core.functions import EVENT_GRID, FunctionTable
from local.host.core.logs import host_log
from local.host.durable import start
from local.host.durable.sdk.functions import DurableFunctionsOfApp, needs_extension
from local.host.eventgrid import webhook
from local.host.indexing.indexer import Indexer
from local.host.indexing.loading import AppCode
from local.host.running import RunningApp
from local.host.settings.environment import Environment
from local.host.settings.host_json import read_host_json, unread_options
from local.host.settings.options import HostOptions
from local.host.timers.trigger import TimerTriggers
from local.host.timers.zones import time_zone
from local.host.tools.admin import Admin, page
from local.host.web.embedded import EmbeddedServer
from local.host.web.front import Front, with_cors
from local.host.web.http_triggers import HttpTriggers
from local.host.web.keys import KeyStore
from local.host.web.ports import bind, port_of
from local.host.web.routing.route_table import RouteTable
from local.host.worker.dispatch import Dispatcher
from local.host.worker.watchdog import Watchdog
from local.host.worker.worker import Worker, thread_count

# The longest chain of callbacks between the end of one function and the start of the next it causes is shorter.
_QUIET_TURNS = 50


class Host:
    """One app's host. `start` returns when it is ready; `stop` lets running functions end."""

    app: RunningApp

    def __init__(self, options: HostOptions, clock: Clock | None = None) -> None:
        self.options = options
        self.clock: Clock = clock or SystemClock()
        self._undo = AsyncExitStack()

    async def is_quiet(self) -> bool:
        """Whether nothing runs, call_http included, and nothing is about to: nothing in the loop's queue starts it."""
        extension = self.app.extension
        for _ in range(_QUIET_TURNS):
            if self.app.dispatcher.running or (extension is not None and not extension.idle):
                return False
            await asyncio.sleep(0)
        return True

    async def start(self) -> None:
        """Load the app, resume its orchestrations and serve. Raises ConfigurationError when it cannot start."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Take nothing new, let running functions end within the grace period, and keep what is left for later."""
        await self._undo.aclose()

    async def reload(self) -> None:
        """Take the functions' code anew from disk; orchestrations, keys, timers' state and the ports stay."""
        await self.app.timers.stop()
        await self._code.unload()
        try:
            await self._take(self._index())
        except ConfigurationError as error:
            self.app.table = FunctionTable(failure=str(error))
            self.app.routes.load(self.app.table)
        self._start_triggers()

    async def _start(self) -> None:
        # What starts first is undone last.
        options = self.options
        environment = Environment()
        self._undo.callback(environment.restore)
        local_host = environment.apply(options).host
        host_json = read_host_json(options.app, os.environ)
        unread = unread_options(host_json)
        if unread:
            host_log.warning(
                "host.json: this host does not read %s. (Azure says nothing of a name that it does not know, either.)",
                ", ".join(unread),
            )
        address = options.address or str(local_host.get("LocalHttpAddress") or "127.0.0.1")
        bound = bind(address, options.port if options.port is not None else port_of(local_host.get("LocalHttpPort")))
        self._undo.callback(bound.close)
        environment.set("WEBSITE_HOSTNAME", f"localhost:{bound.getsockname()[1]}")
        self._make_data_folder()
        keys = KeyStore(options.data_folder / "keys.json")
        self._code = AppCode(options.app)
        self._undo.push_async_callback(self._code.unload)
        worker = Worker(thread_count(os.environ))
        self._undo.callback(worker.stop)
        self._hooks = worker.hooks
        dispatcher = Dispatcher(worker, self.clock, timeout=host_json.function_timeout())
        prefix = host_json.value("extensions.http.routePrefix")
        self.app = RunningApp(
            options=options,
            port=bound.getsockname()[1],
            clock=self.clock,
            host_json=host_json,
            keys=keys,
            dispatcher=dispatcher,
            routes=RouteTable("api" if prefix is None else str(prefix)),
            timers=TimerTriggers(dispatcher, self.clock, options.data_folder / "timers", time_zone(os.environ)),
        )
        self._durable = DurableFunctionsOfApp(dispatcher)
        self._bindings = Bindings(dispatcher, host_json, self.clock, options.data_folder)
        self._event_grid = webhook.EventGridWebhook(dispatcher)
        self._front = self._make_front()
        server = EmbeddedServer(
            with_cors(
                self._front,
                options.cors or str(local_host.get("CORS") or ""),
                credentials=options.cors_credentials or str(local_host.get("CORSCredentials")).lower() == "true",
            ),
            bound,
        )
        self._undo.push_async_callback(server.stop)
        await self._take(self._index())
        self._undo.push_async_callback(self._stop_triggers)
        watchdog = Watchdog()
        self._undo.callback(watchdog.stop)
        watchdog.start()
        await server.start()
        self._start_triggers()

    def _make_front(self) -> Front:
        app, enable_auth = self.app, self.options.enable_auth
        return Front(
            app.routes,
            HttpTriggers(app.dispatcher, app.keys, enable_auth=enable_auth),
            app.keys if enable_auth else None,
            host_json=app.host_json,
            admin=Admin(app).router,
            homepage=page,
        )

    def _make_data_folder(self) -> None:
        folder = self.options.data_folder
        try:
            private_folder(folder)
            # The folder holds keys, and lies in the app's own folder by default: it must not be committed with it.
            (folder / ".gitignore").write_text("*\n")
        except OSError as error:
            raise ConfigurationError(
                f"Nothing can be kept in {folder}: {error.strerror}. Pass --data with a folder that can be written."
            ) from error

    def _index(self) -> FunctionTable:
        host_json = self.app.host_json
        only = self.options.only or host_json.names("functions")
        table = Indexer(self._code, os.environ).index(only=only, retry=host_json.retry())
        table.refuse(self._bindings.load(table))
        table.refuse(self.app.routes.load(table))
        return table

    async def _take(self, table: FunctionTable) -> None:
        app = self.app
        if table.failure is None:
            # With a half-written file orchestrations go on with the code that they had, instead of failing.
            self._durable.load(table)
        app.table = table
        self._hooks.take(table)
        self._event_grid.load(table)
        if app.extension is None and needs_extension(table):
            app.extension, app.resumed = await start.start_extension(
                self._durable,
                app.dispatcher,
                host_json=app.host_json,
                keys=app.keys,
                data=self.options.data_folder,
                clock=self.clock,
                enable_auth=self.options.enable_auth,
                undo=self._undo,
            )
            self._front.webhooks[start.WEBHOOK] = app.extension.management
        if table.has_trigger(EVENT_GRID):
            self._front.webhooks[webhook.WEBHOOK] = self._event_grid

    def _start_triggers(self) -> None:
        table = self.app.table
        table.refuse(self.app.timers.start(table.of_type("timerTrigger")))
        table.refuse(self._bindings.start(table))

    async def _stop_triggers(self) -> None:
        await self.app.timers.stop()
        self._bindings.stop()
        left = await self.app.dispatcher.drain(self.options.grace_seconds)
        if left:
            host_log.warning("%d function runs did not end within the grace period and were cancelled.", left)
        await self._bindings.close()
