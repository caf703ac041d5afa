"""The host: puts settings, worker, triggers and the durable extension together, and takes them down again."""

import asyncio
import os
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from local.host.bindings import Bindings
from local.host.core.clock import Clock, SystemClock
from local.host.core.functions import DURABLE_CLIENT, FunctionTable
from local.host.core.logs import host_log
from local.host.durable.sdk import functions as durable_glue
from local.host.indexing.indexer import Indexer
from local.host.indexing.loading import AppCode
from local.host.settings.host_json import read_host_json, resolve_section, unread_options
from local.host.settings.local_settings import (
    ConfigurationError,
    LocalSettings,
    read_local_settings,
)
from local.host.timers.trigger import TimerTriggers, time_zone
from local.host.web.embedded import EmbeddedServer, bind, bind_rpc
from local.host.web.front import Front
from local.host.web.http_triggers import HttpTriggers
from local.host.web.keys import KeyStore
from local.host.worker.dispatch import Dispatcher
from local.host.worker.watchdog import Watchdog
from local.host.worker.worker import Worker, thread_count

if TYPE_CHECKING:
    from local.host.durable.extension import DurableExtension
    from local.host.durable.model.ports import Resumed

# The longest chain of callbacks between the end of one function and the start of the next it causes is shorter.
_QUIET_TURNS = 50


@dataclass(frozen=True)
class HostOptions:
    """How to run an app; everything but the folder has the default of the command line."""

    app: Path
    data: Path | None = None
    port: int | None = None
    address: str | None = None
    only: tuple[str, ...] = ()
    enable_auth: bool = False
    cors: str | None = None
    cors_credentials: bool = False
    grace_seconds: float = 5.0
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    """Settings on top of the process environment and of local.settings.json."""

    @property
    def data_folder(self) -> Path:
        """Where keys, timers and the task hub are kept: --data, MANIFOLD_LOCAL_DIR, or `.local/host` in the app."""
        if self.data is not None:
            return self.data
        shared = os.environ.get("MANIFOLD_LOCAL_DIR")
        return (Path(shared) if shared else self.app / ".local") / "host"


class Host:
    """One running app. `start` returns when it is ready; `stop` lets running functions end."""

    def __init__(self, options: HostOptions, clock: Clock | None = None) -> None:
        self.options = options
        self.clock: Clock = clock or SystemClock()
        self.table = FunctionTable()
        self.extension: DurableExtension | None = None
        self.resumed: Resumed | None = None
        self._undo = AsyncExitStack()
        self._undo_environment: dict[str, str | None] = {}

    async def is_quiet(self) -> bool:
        """Whether nothing runs, call_http included, and nothing is about to: nothing in the loop's queue starts it."""
        for _ in range(_QUIET_TURNS):
            if self.dispatcher.running or (self.extension is not None and not self.extension.idle):
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
        await self.timers.stop()
        await self.code.unload()
        try:
            await self._take(self._index())
        except ConfigurationError as error:
            self.table = FunctionTable(failure=str(error))
            self.http.load(self.table)
        await self._start_triggers()

    async def _start(self) -> None:
        # What starts first is undone last.
        options = self.options
        self._undo.callback(self._restore_environment)
        self.local_settings = self._apply_settings()
        self.host_json = read_host_json(options.app, os.environ)
        unread = unread_options(self.host_json)
        if unread:
            host_log.warning(
                "host.json: this host does not read %s. (Azure says nothing of a name that it does not know, either.)",
                ", ".join(unread),
            )
        server = self._bind()
        self._make_data_folder()
        self.keys = KeyStore(options.data_folder / "keys.json")
        self.code = AppCode(options.app)
        self._undo.push_async_callback(self.code.unload)
        worker = Worker(thread_count(os.environ))
        self._undo.callback(worker.stop)
        self.dispatcher = Dispatcher(worker, self.clock, timeout=self.host_json.function_timeout())
        prefix = self.host_json.value("extensions.http.routePrefix")
        self.http = HttpTriggers(
            self.dispatcher, self.keys, prefix="api" if prefix is None else str(prefix), enable_auth=options.enable_auth
        )
        self.durable = durable_glue.DurableFunctionsOfApp(self.dispatcher)
        self.timers = TimerTriggers(self.dispatcher, self.clock, options.data_folder / "timers", time_zone(os.environ))
        self.bindings = Bindings(self.dispatcher, self.host_json, self.clock, options.data_folder)
        await self._take(self._index())
        self._undo.push_async_callback(self._stop_triggers)
        watchdog = Watchdog()
        self._undo.callback(watchdog.stop)
        watchdog.start()
        await server.start()
        await self._start_triggers()

    def _bind(self) -> EmbeddedServer:
        local_host = self.local_settings.host
        address = self.options.address or str(local_host.get("LocalHttpAddress") or "127.0.0.1")
        port = self.options.port if self.options.port is not None else _port(local_host.get("LocalHttpPort"))
        server = EmbeddedServer(self._with_cors(Front(self)), bind(address, port))
        self._undo.push_async_callback(server.stop)
        self.port = server.port
        self._set("WEBSITE_HOSTNAME", f"localhost:{self.port}")
        return server

    async def _stop_triggers(self) -> None:
        await self.timers.stop()
        self.bindings.stop()
        left = await self.dispatcher.drain(self.options.grace_seconds)
        if left:
            host_log.warning("%d function runs did not end within the grace period and were cancelled.", left)
        await self.bindings.close()

    def _make_data_folder(self) -> None:
        folder = self.options.data_folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # The folder holds keys, and lies in the app's own folder by default: it must not be committed with it.
            (folder / ".gitignore").write_text("*\n")
        except OSError as error:
            raise ConfigurationError(
                f"Nothing can be kept in {folder}: {error.strerror}. Pass --data with a folder that can be written."
            ) from error

    def _index(self) -> FunctionTable:
        only = self.options.only or self.host_json.names("functions")
        table = Indexer(self.code, os.environ).index(only=only, retry=self.host_json.retry())
        table.refuse(self.bindings.load(table))
        table.refuse(self.http.load(table))
        return table

    async def _take(self, table: FunctionTable) -> None:
        if table.failure is None:
            # With a half-written file orchestrations go on with the code that they had, instead of failing.
            self.durable.load(table)
        self.table = table
        if self.extension is None and durable_glue.needs_extension(table):
            await self._start_extension()

    async def _start_extension(self) -> None:
        # Imported here, since these cost half of the start and only durable apps need them.
        from local.host.durable.extension import DurableExtension  # noqa: PLC0415 - as said above
        from local.host.durable.model.options import DurableOptions  # noqa: PLC0415 - as said above
        from local.host.durable.taskhub.hub import HubInUse  # noqa: PLC0415 - as said above

        section = resolve_section(self.host_json.section("extensions.durableTask"), os.environ)
        try:
            options = DurableOptions.parse(section)
        except ValueError as error:
            raise ConfigurationError(str(error)) from error
        folder = self.options.data_folder
        try:
            extension = DurableExtension(self.durable, options, folder / f"{options.hub_name.lower()}.db", self.clock)
        except HubInUse as error:
            raise ConfigurationError(f"{error} Stop the other host, or pass --data with another folder.") from error
        rpc = EmbeddedServer(extension.rpc, bind_rpc())
        self._undo.push_async_callback(rpc.stop)
        self._undo.push_async_callback(extension.stop)
        self._undo.push_async_callback(durable_glue.close_client_session)
        self.extension = extension
        self.dispatcher.inputs[DURABLE_CLIENT] = durable_glue.DurableClientInput(
            extension,
            options.hub_name,
            durable_glue.webhook_base(os.environ["WEBSITE_HOSTNAME"]),
            self.keys.system_key(durable_glue.SYSTEM_KEY),
            f"http://127.0.0.1:{rpc.port}/durabletask/",
        )
        await rpc.start()
        self.resumed = await extension.start()

    async def _start_triggers(self) -> None:
        self.table.refuse(self.timers.start(self.table.of_type("timerTrigger")))
        self.table.refuse(self.bindings.start(self.table))

    def _with_cors(self, app: ASGIApp) -> ASGIApp:
        origins = self.options.cors or str(self.local_settings.host.get("CORS") or "")
        if not origins:
            return app
        credentials = self.options.cors_credentials or (
            str(self.local_settings.host.get("CORSCredentials")).lower() == "true"
        )
        if credentials and "*" in origins.split(","):
            raise ConfigurationError("CORS: '*' cannot go with credentials. Name the origins, or drop CORSCredentials.")
        from starlette.middleware.cors import CORSMiddleware  # noqa: PLC0415 - few apps set CORS

        return CORSMiddleware(
            app,
            allow_origins=origins.split(","),
            allow_methods=["*"],
            allow_headers=["*"],
            allow_credentials=credentials,
        )

    def _apply_settings(self) -> LocalSettings:
        for name, value in self.options.environment.items():
            self._set(name, value)
        settings = read_local_settings(self.options.app, os.environ)
        for name in settings.skipped:
            host_log.info(
                "Skipping '%s' from local settings as it's already defined in current environment variables.", name
            )
        for name, value in settings.applied.items():
            self._set(name, value)
        self._set("AzureWebJobsScriptRoot", str(self.options.app))
        if "AZURE_FUNCTIONS_ENVIRONMENT" not in os.environ:
            self._set("AZURE_FUNCTIONS_ENVIRONMENT", "Development")
        return settings

    def _set(self, name: str, value: str) -> None:
        self._undo_environment.setdefault(name, os.environ.get(name))
        os.environ[name] = value

    def _restore_environment(self) -> None:
        for name, value in self._undo_environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._undo_environment.clear()


def _port(value: object) -> int:
    if value is None:
        return 7071
    try:
        return int(str(value))
    except ValueError:
        raise ConfigurationError(f"local.settings.json: Host.LocalHttpPort must be a port, not {value!r}.") from None
