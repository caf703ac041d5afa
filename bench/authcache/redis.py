"""Redis as a peer, where its server is on the machine: no package of this project's set-up carries it.

It is spoken to in its own protocol, so that no client of it need be installed for one line of a table.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

START_SECONDS = 10
AT_ONCE = 10_000


def installed() -> str | None:
    """The path of its server; None: it is not on this machine."""
    return shutil.which("redis-server")


class Redis:
    """A connection."""

    def __init__(self, path: Path | str) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._answers = self._socket.makefile("rb")

    def ask(self, *parts: str) -> bytes | None:
        """One command, answered by a number, a text or nothing."""
        self._socket.sendall(_command(parts))
        return self._answer()

    def set_all(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Many keys, some thousands in a command."""
        left = iter(pairs)
        while some := list(islice(left, AT_ONCE)):
            assert self.ask("MSET", *(part for pair in some for part in pair)) == b"OK"

    def _answer(self) -> bytes | None:
        line = self._answers.readline()
        if line[:1] != b"$":
            assert line[:1] in b"+:", line
            return line[1:-2]
        size = int(line[1:])
        return None if size < 0 else self._answers.read(size + 2)[:-2]


def _command(parts: tuple[str, ...]) -> bytes:
    texts = [part.encode() for part in parts]
    return b"*%d\r\n" % len(texts) + b"".join(b"$%d\r\n%s\r\n" % (len(text), text) for text in texts)


@contextmanager
def server(folder: Path) -> Generator[Path]:
    """Redis without a disk; the socket that it listens on."""
    path, program = folder / "redis.sock", installed()
    assert program is not None
    command = [program, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
        try:
            deadline = time.monotonic() + START_SECONDS
            while not path.exists():
                assert time.monotonic() < deadline, "Redis did not start."
                time.sleep(0.05)
            yield path
        finally:
            running.terminate()


def load(path: Path, folder: Path) -> None:
    """The published files: a user by the address, a share by its pair."""
    redis = Redis(path)
    redis.set_all(
        (f"u:{address}", hashed) for address, hashed in _rows(folder / "users.parquet", "email", "password_hash")
    )
    pairs = _rows(folder / "shares.parquet", "user_id", "shared_email")
    redis.set_all((f"s:{owner}:{viewer}", "1") for owner, viewer in pairs)


def memory(path: Path) -> int:
    """Megabytes that the server takes."""
    told = (Redis(path).ask("INFO", "memory") or b"").decode()
    return int(next(line for line in told.splitlines() if line.startswith("used_memory_rss:")).partition(":")[2]) >> 20


def _rows(path: Path, *columns: str) -> Iterable[tuple[Any, ...]]:
    from shared.authcache.base.format.pyarrow import parquet  # noqa: PLC0415 - the peer alone needs it

    for batch in parquet.ParquetFile(path).iter_batches(columns=list(columns)):
        yield from zip(*(batch.column(column).to_pylist() for column in columns), strict=True)
