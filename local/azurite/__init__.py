"""Azurite, Microsoft's storage emulator from npm, run by the Node that comes as a Python package."""

import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.host.core.folders import private_folder
from local.node import node
from local.processes import LOOPBACK, port_in_use, tethered

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The emulator's account, the same on every machine and printed in Microsoft's documentation."""
KEY_VARIABLE = "MANIFOLD_AZURITE_KEY"
"""Names the key of the account where another than the emulator's is wanted."""

_SCRIPT = Path(__file__).parents[2] / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_START_DEADLINE_SECONDS = 60.0
_STOP_DEADLINE_SECONDS = 10.0


class AzuriteError(Exception):
    """Azurite cannot be started; the message says why and what to do."""


@dataclass(frozen=True)
class Ports:
    """Where the three services listen."""

    blob: int = 10000
    queue: int = 10001
    table: int = 10002


def connection_string(ports: Ports, account: str = ACCOUNT, key: str = KEY) -> str:
    """Return the connection string that reaches one of the emulator's accounts on these ports."""
    ends = (("Blob", ports.blob), ("Queue", ports.queue), ("Table", ports.table))
    endpoints = "".join(f"{name}Endpoint=http://{LOOPBACK}:{port}/{account};" for name, port in ends)
    return f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};{endpoints}"


@contextmanager
def azurite(
    data_dir: Path | str, ports: Ports, accounts: Sequence[str] = (ACCOUNT,), key: str = KEY
) -> Generator[subprocess.Popen[bytes]]:
    """Run Azurite on a folder (made if missing) until the block ends. Its log goes to stderr.

    All accounts have the key, 64 bytes in Base64.

    Raises:
        AzuriteError: it is not installed, its data are damaged, a port is in use, or it does not answer in time.
    """
    data = private_folder(Path(data_dir).absolute())
    _refuse_damage(data)
    for flag, port in (("--port", ports.blob), ("--queue-port", ports.queue), ("--table-port", ports.table)):
        if port_in_use(port):
            raise AzuriteError(f"Port {port} is in use. Stop what uses it or pass {flag}.")
    flags = ["--blobPort", ports.blob, "--queuePort", ports.queue, "--tablePort", ports.table, "--location", data]
    # Without skipApiVersionCheck it refuses SDKs that are newer than itself.
    quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    process = subprocess.Popen(  # noqa: S603 - a program of this checkout, flags from above
        tethered([_node(), str(_script()), *map(str, flags), *quiet]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=data,
        env={**os.environ, "AZURITE_ACCOUNTS": ";".join(f"{account}:{key}" for account in accounts)},
        start_new_session=True,  # Ctrl-C in the terminal reaches the caller, who stops it in order
    )
    try:
        deadline = time.monotonic() + _START_DEADLINE_SECONDS
        for port in (ports.blob, ports.queue, ports.table):
            _wait_until_it_answers(process, port, deadline)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)  # writes what it holds in memory and ends
        try:
            process.wait(_STOP_DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _refuse_damage(data: Path) -> None:
    """Azurite itself takes an empty file for accounts without data."""
    for file in sorted(data.glob("__azurite_db_*__.json")):
        try:
            json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise AzuriteError(
                f"{file} is damaged: {error}. Restore it from a copy, or move {data} away to start with empty accounts."
            ) from None


def _node() -> str:
    try:
        return node()
    except FileNotFoundError as error:
        raise AzuriteError(str(error)) from None


def _script() -> Path:
    if not _SCRIPT.exists():
        raise AzuriteError("Azurite is not installed. Run `make setup`, or `npm ci` in the checkout.")
    return _SCRIPT


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int, deadline: float) -> None:
    while True:
        check(process)
        if time.monotonic() > deadline:
            raise AzuriteError(f"Azurite did not answer on port {port} in {_START_DEADLINE_SECONDS:.0f} s.")
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()


def check(process: subprocess.Popen[bytes]) -> None:
    """Raise AzuriteError if it has ended."""
    if process.poll() is not None:
        raise AzuriteError(f"Azurite ended with code {process.returncode}; its log says why.")
