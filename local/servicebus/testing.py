"""The stand-in as a process, for tests: on a free port, to be killed and started again with its port and data."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.killable import KillableService
from local.processes import free_ports
from local.servicebus.queues.settings import NAMESPACE


class ServiceBusProcess(KillableService):
    """`python -m local.servicebus` with these `--queue` values; `arguments` are further flags."""

    def __init__(self, data: Path, queues: Sequence[str], arguments: Sequence[str] = ()) -> None:
        self.port, self.admin_port = free_ports(2)
        ports = ["--port", self.port, "--admin-port", self.admin_port]
        flags = [flag for queue in queues for flag in ("--queue", queue)]
        super().__init__(["local.servicebus", "--data", data, *ports, *flags, *arguments])

    @property
    def connection_string(self) -> str:
        keys = "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE"
        return f"Endpoint=sb://127.0.0.1:{self.port};{keys};UseDevelopmentEmulator=true;"

    @property
    def resource(self) -> str:
        """The namespace's address at the resource manager."""
        return f"http://127.0.0.1:{self.admin_port}{NAMESPACE}"


@contextmanager
def running(data: Path, queues: Sequence[str], arguments: Sequence[str] = ()) -> Generator[ServiceBusProcess]:
    """A started stand-in, stopped at the end."""
    process = ServiceBusProcess(data, queues, arguments)
    with process.running():
        yield process
