"""Programs of this project for tests, which start hundreds: each is a fork of a process that has imported everything.

The fork server is multiprocessing's own. It starts with the first program and ends with the process that asked for it.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection, wait

_LOADED = [
    "azure.cosmos.aio",
    "azure.durable_functions",
    "azure.servicebus.aio",
    "azure.storage.blob.aio",
    "httpx",
    "local.apps.__main__",
    "local.arm.__main__",
    "local.cosmos.__main__",
    "local.host.__main__",
    "local.host.durable.extension",
    "local.host.servicebus.trigger",
    "local.host.storage.queue_trigger",
    "local.postgres.__main__",
    "local.servicebus.__main__",
    "local.smtp.__main__",
    "local.supplier.__main__",
    "psycopg_pool",
    "function_app",
]
"""What the programs import at their start, and what the app imports when it first needs it."""


class Forked:
    """`python -m module arguments` with this environment and nothing else in it; `stdout` is a pipe.

    Its errors go where the caller's go, or into the same pipe.

    It is ended at the latest with the process that started it, unless that is killed.
    """

    def __init__(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], *, errors_too: bool = False
    ) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_LOADED)
        reader, writer = context.Pipe(duplex=False)
        errors = writer if errors_too else Connection(os.dup(2), readable=False)
        given = (module, list(arguments), dict(environment), writer, errors)
        self._process = context.Process(target=_become, args=given, daemon=True)
        self._process.start()
        writer.close()
        errors.close()
        self.stdout = os.fdopen(os.dup(reader.fileno()), errors="replace")
        reader.close()
        self._reading = threading.Lock()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """The exit code, minus the signal's number if one ended it; None while it runs."""
        with self._reading:
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; the exit code. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        if not wait([self._process.sentinel], timeout):
            raise subprocess.TimeoutExpired(self._process.name, timeout or 0)
        code = self.poll()
        assert code is not None
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


def _become(
    module: str,
    arguments: list[str],
    environment: dict[str, str],
    output: "Connection[None, None]",
    errors: "Connection[None, None]",
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(output.fileno(), 1)
    os.dup2(errors.fileno(), 2)
    output.close()
    errors.close()
    sys.argv[1:] = arguments
    sys.modules.pop(f"{module}.__main__", None)  # it runs as the main program, not as this one
    runpy.run_module(module, run_name="__main__", alter_sys=True)
