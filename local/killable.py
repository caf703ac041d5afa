"""A local service as a process that a test kills and starts again."""

import os
import signal
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager

from local.forked import Forked

_SECONDS = 20


class KillableService:
    """`python -m` with these arguments and more environment; it has to print a line that begins with `ready `."""

    def __init__(self, arguments: Sequence[object], environment: Mapping[str, str] | None = None) -> None:
        self._module, *self._arguments = map(str, arguments)
        self._environment = {**os.environ, **(environment or {})}
        self._process: Forked | None = None

    def start(self) -> str:
        """Start it and wait until it serves; its ready line.

        Raises:
            RuntimeError: it ended instead; its reason is on stderr.
        """
        self._process = Forked(self._module, self._arguments, self._environment)
        line = self._process.stdout.readline()
        if not line.startswith("ready "):
            raise RuntimeError(f"{self._module} did not start: exit code {self._process.wait(_SECONDS)}.")
        return line

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        code = self._process.wait(_SECONDS)
        self._process.stdout.close()
        return code

    def kill(self) -> None:
        """End it as a crash would."""
        self.stop(signal.SIGKILL)

    @contextmanager
    def hanging(self) -> Generator[None]:
        """Within, it is there and answers nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    @contextmanager
    def running(self) -> Generator[None]:
        """Started within, and stopped at the end."""
        self.start()
        try:
            yield
        finally:
            self.stop()
