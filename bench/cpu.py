"""CPU seconds of a process with all that it has started, as Linux accounts for them.

On a machine whose cores are shared by the app, the database and the supplier, wall time says little about any of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of the process, of its running descendants, and of those that it has waited for."""
    total = 0
    for process in (pid, *_descendants(pid)):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended; its parent's figures have it
            # The fields after the command's name, which may itself hold blanks and parentheses: see proc(5).
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def parent_of(pid: int) -> int:
    """The process that started it."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _descendants(pid: int) -> Iterator[int]:
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            for child in (thread / "children").read_text().split():
                yield int(child)
                yield from _descendants(int(child))
