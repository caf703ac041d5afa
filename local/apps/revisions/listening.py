"""Whose a listening port is: a port that was free when an app was started may be another program's by now."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

_LISTENS = "0A"
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Place:
    """An address and a port that a program listens at."""

    address: str
    port: int

    def reached_at(self, address: str, port: int) -> bool:
        """Whether who connects to that address and port is answered here. `::` stands for IPv4 too, as is usual."""
        return port == self.port and self.address in (address, "0.0.0.0", "::")

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


def is_foreign(port: int, ancestor: int) -> bool:
    """Whether a program listens on the port that is neither the ancestor nor one of its descendants.

    False where nobody listens, or where it cannot be told. Blocks.
    """
    sockets = _listening(port)
    if not sockets:
        return False
    family = _family(ancestor)
    held = {link for pid in family for link in _links(pid)}
    return bool(held) and sockets.isdisjoint(held)


def places_of(ancestor: int) -> list[Place]:
    """Where the ancestor and its descendants listen. Blocks."""
    held = {link for pid in _family(ancestor) for link in _links(pid)}
    return sorted({place for place, socket in _all_listening() if socket in held}, key=str)


def _listening(port: int) -> set[str]:
    """The sockets that listen on the port."""
    return {socket for place, socket in _all_listening() if place.port == port}


def _all_listening() -> Iterator[tuple[Place, str]]:
    """Each place that is listened at, and the socket as links of open files name it."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS:
                    address, _, port = fields[1].partition(":")
                    yield Place(_address(address), int(port, 16)), f"socket:[{fields[9]}]"


def _address(written: str) -> str:
    """An address as people write it; the system writes each 32 bits of it in the order of its own bytes."""
    data = bytes.fromhex(written)
    words = (int.from_bytes(data[at : at + 4], sys.byteorder).to_bytes(4, "big") for at in range(0, len(data), 4))
    address = ip_address(b"".join(words))
    return str(getattr(address, "ipv4_mapped", None) or address)


def _family(pid: int) -> list[int]:
    pids, level = [pid], [pid]
    while level:
        level = [child for one in level for child in _children(one)]
        pids += level
    return pids


def _children(pid: int) -> list[int]:
    children: list[int] = []
    with suppress(OSError):  # it has ended in between
        for thread in (_PROC / str(pid) / "task").iterdir():
            children += map(int, (thread / "children").read_text().split())
    return children


def _links(pid: int) -> list[str]:
    links: list[str] = []
    with suppress(OSError):
        for one in (_PROC / str(pid) / "fd").iterdir():
            with suppress(OSError):
                links.append(str(one.readlink()))
    return links
