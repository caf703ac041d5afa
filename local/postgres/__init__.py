"""PostgreSQL 18 with pgvector, over TCP on loopback: `python -m local.postgres`, or `server()` in tests."""

import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from local.postgres.account import caller_account, reachable_data
from local.postgres.cluster import ROLE, PostgresError, ensure, programs, release
from local.processes import LOOPBACK, free_port, port_in_use, tethered

__all__ = ["PostgresError", "Server", "dsn", "server"]

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # TCP alone: socket paths are short and need a folder that both users can walk
    "maintenance_work_mem": "256MB",  # an HNSW index is built in memory, several times faster than on disk
    "work_mem": "32MB",  # set-wise pricing sorts and hashes tens of thousands of rows at once
    "max_wal_size": "4GB",  # a bulk load writes more than the default 1GB, which would force a checkpoint in its midst
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",  # nothing replicates from here, so a table filled where it is created needs no WAL
    "max_wal_senders": "0",
    "random_page_cost": "1.1",  # laptops have SSDs
    "jit": "off",  # compiles for longer than these queries run
    "timezone": "UTC",
    "log_checkpoints": "off",
}
_THROWAWAY = {
    "fsync": "off",
    "full_page_writes": "off",  # half written pages come of a power cut alone
    "max_wal_size": "512MB",  # what lies in memory must not fill it
}
_START_DEADLINE_SECONDS = 60.0
"""Long enough for crash recovery of max_wal_size."""
_STOP_DEADLINE_SECONDS = 20.0


def dsn(port: int, database: str = ROLE) -> str:
    """Return the libpq DSN of a database on the local server."""
    return f"postgresql://{ROLE}:{ROLE}@{LOOPBACK}:{port}/{database}"


@dataclass(frozen=True)
class Server:
    """A running server: where it listens, where its data really lies, and the postmaster process."""

    port: int
    data: Path
    process: subprocess.Popen[bytes]

    @property
    def dsn(self) -> str:
        return dsn(self.port)

    def check(self) -> None:
        """Raise PostgresError if the server has ended."""
        if self.process.poll() is not None:
            raise PostgresError(f"PostgreSQL ended with code {self.process.returncode}; its log says why.")


@contextmanager
def server(
    data_dir: Path | str, port: int = 0, *, throwaway: bool = False, buffers: str = "256MB"
) -> Generator[Server]:
    """Run PostgreSQL on the data folder (made if missing) until the block ends; port 0 takes a free one.

    The server ends with the calling thread at the latest, even if that is killed. Its log goes to stderr.
    A throwaway one does not wait for the disk: its data outlives a kill -9 of any process, but not a power cut.
    `buffers` is the server's cache; a benchmark of millions of rows wants that of a server in Azure.

    Raises:
        PostgresError: the port is in use, the folder is in use or foreign, or the server does not come up.
    """
    if port and port_in_use(port):
        raise PostgresError(f"Port {port} is in use. Stop what uses it or pass --port.")
    user = caller_account()
    bin_folder = programs(user)
    data = reachable_data(user, Path(data_dir).absolute())
    ensure(user, bin_folder, data, sync=not throwaway)
    release(data)
    port = port or free_port()
    # 256MB holds the hot part of 500,000 rows; the server's own default of 128MB thrashes while merging them.
    settings = {**_SETTINGS, "shared_buffers": buffers, "port": str(port), **(_THROWAWAY if throwaway else {})}
    flags = [f"--{name}={value}" for name, value in settings.items()]
    process = subprocess.Popen(  # noqa: S603 - the wheel's own program and settings from this file
        tethered([str(bin_folder / "postgres"), "-D", str(data), *flags], signal.SIGINT),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd="/",
        user=user.uid,
        group=user.gid,
        extra_groups=None if user.uid is None else [],
        start_new_session=True,  # Ctrl-C in the terminal reaches the caller, who stops the server in its own time
    )
    try:
        running = Server(port, data, process)
        _wait_until_ready(running)
        yield running
    finally:
        _stop(process)


def _wait_until_ready(server: Server) -> None:
    deadline = time.monotonic() + _START_DEADLINE_SECONDS
    while True:
        try:
            psycopg.connect(server.dsn, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            server.check()
            if time.monotonic() > deadline:
                raise PostgresError(
                    f"PostgreSQL was not ready after {_START_DEADLINE_SECONDS:.0f} s: {error}"
                ) from None
            time.sleep(0.02)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # "fast": roll back what is open, write a checkpoint, end
    try:
        process.wait(_STOP_DEADLINE_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)  # "immediate": the next start recovers from the log
        process.wait()
