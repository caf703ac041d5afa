"""What tests of programs need: servers that all workers of a test run share, and commands that never outlive a test."""

import fcntl
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the xdist workers of this test run have in common."""
    base = factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@contextmanager
def shared(folder: Path, name: str, start: Callable[[], AbstractContextManager[str]]) -> Generator[str]:
    """Give what `start` gives, started once for all workers that ask for `name` while one of them still uses it.

    The worker that started it waits at the end for the others, also for one that crashes: each holds a lock on a
    file, which the kernel lifts with its process.
    """
    state = folder / f"{name}.state"
    with (folder / f"{name}.users").open("w") as users:
        with locked(folder / f"{name}.lock"):
            owned = None if state.exists() else start()
            if owned:
                state.write_text(owned.__enter__())
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield state.read_text()
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            if owned:
                signal.setitimer(signal.ITIMER_REAL, 0)  # pytest-timeout's: the others' tests take as long as they take
                with locked(folder / f"{name}.lock"):
                    fcntl.flock(users, fcntl.LOCK_EX)
                    state.unlink()
                    owned.__exit__(None, None, None)


@contextmanager
def command(*arguments: object) -> Generator[subprocess.Popen[str]]:
    """Run `python -m` with these arguments and its output in pipes; kill it if the block leaves it running."""
    argv = [sys.executable, "-m", *map(str, arguments)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - this project's own programs
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a file lock that keeps other processes out."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
