"""Tells when something blocks the host's loop: everything stands then, and nobody would see why.

Knows of debuggers, too: a breakpoint is meant to stand still, and no limit of time holds for who stands in one.
"""

import asyncio
import sys
import threading
import traceback

from local.host.core.logs import host_log

_PATIENCE_SECONDS = 5.0
_LOOK_SECONDS = 1.0
# Set for good at the first breakpoint seen: who stands in one now has stood before in what goes on later.
_stood = threading.Event()


class Watchdog:
    """A thread that asks the loop for a sign of life; without one it logs what the loop's thread is doing."""

    def __init__(self, patience: float = _PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Watch the running loop, whose thread this is called on."""
        loop, watched = asyncio.get_running_loop(), threading.get_ident()
        self._thread = threading.Thread(target=self._watch, args=(loop, watched), name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()

    def _watch(self, loop: asyncio.AbstractEventLoop, watched: int) -> None:
        while not self._stopped.wait(min(_LOOK_SECONDS, self._patience)):
            is_debugged()  # a stand that is over when someone asks must have been seen
            alive = threading.Event()
            try:
                loop.call_soon_threadsafe(alive.set)
            except RuntimeError:  # the loop is closed
                return
            if alive.wait(self._patience) or self._stopped.is_set() or is_debugged():
                continue
            frame = sys._current_frames().get(watched)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - the one way to see another thread's stack
            stack = "".join(traceback.format_stack(frame)[-6:]) if frame is not None else ""
            host_log.warning(
                "The host has stood still for %g s: code on its loop blocks. An async function must await what takes "
                "time (or be a plain function, which gets a thread of its own); a blocking request to this host's own "
                "address from there can never be answered. It is here:\n%s",
                self._patience,
                stack.rstrip(),
            )
            while not alive.wait(_LOOK_SECONDS) and not self._stopped.is_set():
                is_debugged()  # as above: the breakpoint may come while it stands still


def is_debugged() -> bool:
    """Whether pydevd (debugpy, PyCharm) is here, or a thread stands, or was seen standing, in pdb or another Bdb.

    That `bdb` is loaded says nothing: libraries import it by way of doctest.
    """
    if "pydevd" in sys.modules:
        return True
    if not _stood.is_set() and "bdb" in sys.modules:
        frames = sys._current_frames().values()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - as above
        if any(
            frame.f_globals.get("__name__") in {"bdb", "pdb"}
            for top in frames
            for frame, _ in traceback.walk_stack(top)
        ):
            _stood.set()
    return _stood.is_set()
