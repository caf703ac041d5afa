"""What every local service needs to start other programs: free ports, and children that do not outlive their parent."""

import shutil
import signal
import socket
import sys
import threading
from contextlib import ExitStack
from types import FrameType

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Return different TCP ports on loopback that nothing listens on now. Another program may still take one first."""
    with ExitStack() as probes:
        # All are held at once: a port that is given back may be handed out again.
        held = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in held:
            probe.bind((LOOPBACK, 0))
        return [int(probe.getsockname()[1]) for probe in held]


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
