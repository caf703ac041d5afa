"""The platform as a process, for tests: on a free port, to be killed and started again with its port and data."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from local.killable import KillableService
from local.processes import free_ports

TOKEN = "a-token-of-the-tests"  # noqa: S105 - opens a stand-in on loopback


class AppsProcess(KillableService):
    """`python -m local.apps`."""

    def __init__(self, data: Path) -> None:
        port, web = free_ports(2)
        self.endpoint = f"http://127.0.0.1:{port}"
        self.web = f"http://127.0.0.1:{web}"
        self.token = TOKEN
        super().__init__(
            ["local.apps", "--data", data, "--port", port, "--web-port", web], {"LOCAL_PLATFORM_TOKEN": TOKEN}
        )


@contextmanager
def running(data: Path) -> Generator[AppsProcess]:
    """A started platform, stopped at the end."""
    process = AppsProcess(data)
    with process.running():
        yield process
