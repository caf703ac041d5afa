"""HTTPS to the addresses that were looked at and to no others, which another thread can end at any moment."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Sequence
from typing import Any

import certifi
import urllib3
from urllib3.connection import HTTPSConnection
from urllib3.util.connection import create_connection

from shared.deploys.cancellation import DeploymentCancelled
from shared.deploys.sources.git import errors

_CONNECT_SECONDS = 5.0
_SILENT_SECONDS = 20.0


class OpenSockets:
    """Handles of what is connected. Shutting them ends a read that waits, which no flag could."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shut = False
        self._handles: list[socket.socket] = []

    def add(self, connected: socket.socket) -> None:
        """Raises DeploymentCancelled: they were shut already."""
        with self._lock:
            if self._shut:
                connected.close()
                raise DeploymentCancelled
            self._handles.append(connected.dup())

    def shut(self) -> None:
        """End what is connected, and whatever is yet to be."""
        with self._lock:
            self._shut = True
            for handle in self._handles:
                with contextlib.suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Free the handles, when nothing reads any more."""
        for handle in self._handles:
            handle.close()


class _Pinned(HTTPSConnection):
    """Asks no name server: a second answer could lead elsewhere than the first, which was looked at."""

    def __init__(self, *args: Any, addresses: Sequence[str], opened: OpenSockets, **others: Any) -> None:
        super().__init__(*args, **others)
        self._addresses = addresses
        self._opened = opened

    def __str__(self) -> str:
        """What stands before the reason in urllib3's messages."""
        return f"{self.host}:{self.port}"

    def _new_conn(self) -> socket.socket:
        failed = OSError("it has no address")
        for address in self._addresses or [self.host]:
            try:
                connected = create_connection((address, self.port or 443), self.timeout)
            except OSError as error:
                failed = error
                continue
            self._opened.add(connected)
            return connected
        raise errors.unreachable(self.host, failed.strerror or str(failed))


class _Pool(urllib3.HTTPSConnectionPool):
    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    ConnectionCls = _Pinned  # pyright: ignore[reportAssignmentType] - urllib3's own class does not fit its protocol


def pool_of(host: str, port: int, addresses: Sequence[str], opened: OpenSockets) -> urllib3.HTTPSConnectionPool:
    """Connections to one host, at `addresses` alone; without any, where its name leads.

    They trust the system's authorities and those of certifi, and end what is silent for twenty seconds.
    """
    trusted = ssl.create_default_context()
    trusted.load_verify_locations(certifi.where())
    timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_SILENT_SECONDS)
    return _Pool(host, port, timeout=timeout, retries=False, ssl_context=trusted, addresses=addresses, opened=opened)
