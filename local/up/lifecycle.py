"""All services together: ports checked first, started side by side, the app last, stopped in the reverse order."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from local.host.core.folders import private_folder
from local.processes import tethered
from local.up.environment import ROOT, settings
from local.up.keys import Keys
from local.up.ports import Ports
from local.up.services import NAMES, Service, module, services
from local.up.supervised import StartError, Supervised, log_tail

__all__ = ["Options", "Stack", "StartError", "stack"]

SETTINGS = "settings.json"
"""File of the data folder with the settings that the app was started with, for its owner alone: keys are in it."""
MIGRATE = module("shared.platform.stores.migrate")
"""What `make migrate` runs."""


def _quiet(_line: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Options:
    """What to start, where its data lies, and what differs from the settings of this machine."""

    ports: Ports = field(default_factory=Ports)
    folder: Path = ROOT / ".local"
    without: frozenset[str] = frozenset()
    """Services not to start, and `migrate` to leave the database as it is."""
    supplier_flags: tuple[str, ...] = ()
    host_flags: tuple[str, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict[str, str])
    """App settings that come before all others."""
    say: Callable[[str], None] = _quiet
    """Is called with one line for what happens to a service while it runs."""


@dataclass(frozen=True)
class Stack:
    """What runs, and the settings that the app was started with."""

    options: Options
    settings: dict[str, str]
    services: list[Supervised]

    @property
    def logs(self) -> Path:
        return self.options.folder / "logs"

    def __getitem__(self, name: str) -> Supervised:
        """The service of that name."""
        return next(s for s in self.services if s.service.name == name)

    def table(self) -> str:
        """Service, address, process and milliseconds to ready, a line each."""
        rows = [("service", "process", "ready ms", "address")]
        rows += [(s.service.name, str(s.pid), str(s.ready_ms), s.service.address) for s in self.services]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        return "\n".join(
            f"{name:<{widths[0]}}  {pid:>{widths[1]}}  {ready:>{widths[2]}}  {address}"
            for name, pid, ready, address in rows
        )


@asynccontextmanager
async def stack(options: Options) -> AsyncGenerator[Stack]:
    """Run the services until the block ends. Use it from the main thread.

    Raises:
        PortsBusyError: a port is in use; nothing was started.
        StartError: a service or the migration failed; all others are stopped again.
        ValueError: `without` names something that is none, or a settings file is unusable.
    """
    if unknown := options.without - {*NAMES, "migrate"}:
        raise ValueError(f"There is no service {', '.join(sorted(unknown))}. They are: {', '.join(NAMES)}, migrate.")
    names = [name for name in NAMES if name not in options.without]
    options.ports.check(names)
    # The catalog that stands there by default belongs to this stack's blobs: elsewhere it would outlive them.
    kept = {
        "MANIFOLD_LOCAL_DIR": str(options.folder.absolute()),
        "AUTHCACHE_FOLDER": str(options.folder.absolute() / "authcache"),
    }
    keys = Keys.fresh() if "host" in names else Keys()
    values = settings(options.ports, options.without, os.environ, keys) | kept | dict(options.overrides)
    logs = private_folder(options.folder / "logs")

    def supervised(service: Service) -> Supervised:
        log = logs / f"{service.name}.log"
        if log.exists():
            log.replace(log.with_suffix(".log.1"))  # the run before this one; older ones go
        log.touch()
        return Supervised(service, log, {**keys.environment(), **values}, ROOT, options.say)

    wanted = services(options.ports, options.folder.absolute(), options.supplier_flags, options.host_flags)
    with _alone(options.folder):
        _keep_settings(options.folder / SETTINGS, values)
        running = Stack(options, values, [supervised(service) for service in wanted if service.name in names])
        try:
            options.say(f"Starting {', '.join(names)} ...")
            await _start_together([s for s in running.services if s.service.name != "host"])
            if "migrate" not in options.without and "postgres" in names:
                await _migrate(logs / "migrate.log", values)
            if "host" in names:
                await running["host"].start()
                if "--reload" not in options.host_flags:  # a developer mends the app while the host runs on
                    await _check_app(running["host"], options.ports.host)
            yield running
        finally:
            for service in reversed(running.services):
                await service.stop()


async def _start_together(group: list[Supervised]) -> None:
    results = await asyncio.gather(*(service.start() for service in group), return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if reasons := [str(failure) for failure in failures if isinstance(failure, StartError)]:
        raise StartError("\n".join(reasons))
    for failure in failures:
        raise failure


async def _migrate(log: Path, values: Mapping[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        *tethered(list(MIGRATE)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env={**os.environ, **values},
    )
    written, _ = await process.communicate()
    await asyncio.to_thread(log.write_bytes, written)
    if process.returncode != 0:
        raise StartError(log_tail("migrate", f"ended with code {process.returncode}", written, log))


async def _check_app(host: Supervised, port: int) -> None:
    """Make sure that the host has loaded the app: it runs on without it, so that its log can say why."""
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.get(f"http://127.0.0.1:{port}/health/live")
    if not answer.is_success:
        log = await asyncio.to_thread(host.log.read_text, errors="replace")
        reasons = [line for line in log.splitlines() if line.startswith("Exception:")] or [f"it answers {answer}"]
        raise StartError(f"The host runs, but the app does not: {reasons[0]}\nIts log: {host.log}")


def _keep_settings(path: Path, values: Mapping[str, str]) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"Values": values}, file, indent=2)


@contextmanager
def _alone(folder: Path) -> Generator[None]:
    """Keep a second supervisor off the same data."""
    with (folder / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"The services on {folder} already run. Stop them, or set MANIFOLD_LOCAL_DIR.") from None
        yield
