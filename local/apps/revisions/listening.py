"""Whose a listening port is: a port that was free when an app was started may be another program's by now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_LISTENS = "0A"
_PROC = Path("/proc")


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


def ports_of(ancestor: int) -> list[int]:
    """Where the ancestor and its descendants listen. Blocks."""
    held = {link for pid in _family(ancestor) for link in _links(pid)}
    return sorted({port for port, socket in _all_listening() if socket in held})


def _listening(port: int) -> set[str]:
    """The sockets that listen on the port."""
    return {socket for listens, socket in _all_listening() if listens == port}


def _all_listening() -> Iterator[tuple[int, str]]:
    """Each port that is listened on, and the socket as links of open files name it."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS:
                    yield int(fields[1].rpartition(":")[2], 16), f"socket:[{fields[9]}]"


def _family(pid: int) -> list[int]:
    found, level = [pid], [pid]
    while level:
        level = [child for one in level for child in _children(one)]
        found += level
    return found


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
