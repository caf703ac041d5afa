"""The stand-in as a process, for tests: on a free port, to be killed and started again with its port and data."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from local.cosmos.rest.signature import EMULATOR_KEY
from local.killable import KillableService
from local.processes import free_port


class CosmosProcess(KillableService):
    """`python -m local.cosmos`."""

    def __init__(self, data: Path) -> None:
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self.key = EMULATOR_KEY
        self.connection_string = f"AccountEndpoint={self.endpoint}/;AccountKey={self.key};"
        super().__init__(["local.cosmos", "--data", data, "--port", port])


@contextmanager
def running(data: Path) -> Generator[CosmosProcess]:
    """A started stand-in, stopped at the end."""
    process = CosmosProcess(data)
    with process.running():
        yield process
