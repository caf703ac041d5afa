"""What every local service needs to start other programs: free ports, and children that do not outlive their parent."""

import errno
import shutil
import signal
import socket
import sys
import threading
from contextlib import ExitStack
from random import SystemRandom
from types import FrameType

LOOPBACK = "127.0.0.1"
GIVEN_OUT = range(20_000, 32_000)
"""Where free ports are looked for. From 32,768 on Linux gives ports to connections, at any moment: one of those may be
taken before the service that it was found for listens on it.
"""
_TRIES = 2_000
_RANDOM = SystemRandom()
"""Others look at the same time, and tests give `random` the same seed in many processes."""


def free_ports(count: int) -> list[int]:
    """Return different TCP ports on loopback that nothing listens on now. Another program may still take one first.

    Raises:
        OSError: so many were not found.
    """
    found: list[int] = []
    with ExitStack() as held:  # all of them until the last is found: one that is given back may be found again
        for _ in range(_TRIES):
            if len(found) == count:
                return found
            port = _RANDOM.choice(GIVEN_OUT)
            probe = socket.socket()
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                probe.close()
            else:
                held.enter_context(probe)
                found.append(port)
    raise OSError(errno.EADDRINUSE, f"{count} free ports were not found from {GIVEN_OUT[0]} to {GIVEN_OUT[-1]}")


def free_port() -> int:
    """Return a TCP port on loopback that nothing listens on right now. Another program may still take it first."""
    return free_ports(1)[0]


def port_in_use(port: int, host: str = LOOPBACK) -> bool:
    """Say whether binding host:port would fail. Connections in TIME_WAIT do not count as use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def stop_requested() -> threading.Event:
    """Return an event that SIGTERM or Ctrl-C sets from now on, instead of ending this process."""
    stopping = threading.Event()

    def request(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, request)
    signal.signal(signal.SIGINT, request)
    return stopping


def tethered(argv: list[str], death_signal: signal.Signals = signal.SIGTERM) -> list[str]:
    """Return the command so that the kernel sends it `death_signal` when its parent dies, even from kill -9.

    The tie is to the thread that starts the command (prctl(2), PR_SET_PDEATHSIG): start it from one that lasts.
    Where util-linux's setpriv is missing the command is returned as it is, and only an orderly stop ends it.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", death_signal.name, "--", *argv] if setpriv else argv
