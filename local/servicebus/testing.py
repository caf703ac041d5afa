"""The stand-in as a process, for tests: start it on a free port, kill it, start it again on the same port and data."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 20


class ServiceBusProcess:
    """`python -m local.servicebus` with these `--queue` values; `arguments` are further flags."""

    def __init__(self, data: Path, queues: Sequence[str], arguments: Sequence[str] = ()) -> None:
        self._data = data
        self._flags = [flag for queue in queues for flag in ("--queue", queue)] + list(arguments)
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        self.admin_port = 0

    @property
    def connection_string(self) -> str:
        keys = "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE"
        return f"Endpoint=sb://127.0.0.1:{self.port};{keys};UseDevelopmentEmulator=true;"

    def start(self) -> None:
        """Start it, and wait until it serves.

        Raises:
            RuntimeError: it ended instead; its reason is on stderr.
        """
        ports = ["--port", str(self.port), "--admin-port", str(self.admin_port)]
        command = [sys.executable, "-m", "local.servicebus", *ports, "--data", str(self._data), *self._flags]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(
                f"The Service Bus stand-in did not start: exit code {self._process.wait(START_SECONDS)}."
            )
        amqp, admin = line.split(", ")[:2]
        self.port, self.admin_port = (int(part.rpartition(":")[2]) for part in (amqp, admin))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            os.kill(self._process.pid, number)
        return self._process.wait(START_SECONDS)

    def kill(self) -> None:
        """End it as a crash would."""
        self.stop(signal.SIGKILL)


@contextmanager
def running(data: Path, queues: Sequence[str], arguments: Sequence[str] = ()) -> Generator[ServiceBusProcess]:
    """A started stand-in, stopped at the end."""
    process = ServiceBusProcess(data, queues, arguments)
    process.start()
    try:
        yield process
    finally:
        process.stop()
