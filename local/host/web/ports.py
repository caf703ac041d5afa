"""The sockets that the host listens on."""

import contextlib
import errno
import random
import socket

from local.host.core.errors import ConfigurationError
from local.host.web.embedded import listen

RPC_PORT = 17071
_LAST_PORT = 65535
_RPC_FALLBACK = (30000, 31000)


def bind(address: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigurationError with the remedy when the port is taken or forbidden."""
    if not 0 <= port <= _LAST_PORT:
        raise ConfigurationError(f"The port must be a number from 0 (for any) to {_LAST_PORT}, not {port}. See --port.")
    try:
        return listen(address, port)
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            raise ConfigurationError(
                f"Port {port} is unavailable. Close the process using that port, "
                "or specify another port using --port [-p]."
            ) from error
        raise ConfigurationError(f"Cannot listen on {address}:{port}: {error.strerror}. See --address.") from error


def bind_rpc() -> socket.socket:
    """The socket of the durable extension's own endpoint: 17071, else one of ten tries between 30000 and 31000."""
    candidates = [RPC_PORT, *random.sample(range(*_RPC_FALLBACK), 10)]
    for port in candidates[:-1]:
        with contextlib.suppress(ConfigurationError):
            return bind("127.0.0.1", port)
    return bind("127.0.0.1", candidates[-1])


def port_of(value: object) -> int:
    """The port that local.settings.json names; 7071 for None. Raises ConfigurationError when it is no number."""
    if value is None:
        return 7071
    try:
        return int(str(value))
    except ValueError:
        raise ConfigurationError(f"local.settings.json: Host.LocalHttpPort must be a port, not {value!r}.") from None
