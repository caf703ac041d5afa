"""What a build or an app wrote, in a file, with the values of secrets hidden and an upper bound."""

from __future__ import annotations

import re
from collections import deque
from pathlib import Path

from local.apps.commands.masking import Mask
from local.apps.commands.process import LINE

BYTES = 10_000_000
READ = 262_144
END = 65_536
_CAUSE = re.compile(r"\b([A-Za-z]*(Error|Exception)\b|error\b|ERROR\b|fatal:)")
_NO_CAUSE = re.compile(r"A debug log|errno|For more information|Worker failed to boot|Shutting down: |exited with code")
_NPM = re.compile(r"npm (error|ERR!)")
_NO_CAUSE_OF_NPM = re.compile(r"npm \S+ *(code [A-Z\d]+|errno .*|syscall .*|path .*|command .*)?$")
"""Npm says what is wrong in the first line after these, then how it is used and where it logs."""


class LogFile:
    """Lines appended to a file. A full one is put aside as `.1` (an app's) or keeps only its end (a build's).

    That end is written by `close`.
    """

    def __init__(self, path: Path, mask: Mask, *, rotate: bool) -> None:
        self._path = path
        self._mask = mask
        self._rotate = rotate
        self._size = path.stat().st_size if path.exists() else 0
        self._end: deque[bytes] = deque()
        self._left_out = 0
        self._cause = self._cause_of_npm = ""
        self.last = ""
        """The last line with anything on it."""

    def __call__(self, line: str) -> None:
        """Add a line."""
        shown = self._mask(line)[:LINE]
        self.last = shown.strip() or self.last
        if _NPM.match(shown):
            if not self._cause_of_npm and not _NO_CAUSE_OF_NPM.match(shown):
                self._cause_of_npm = self.last
        elif _CAUSE.search(shown) and not _NO_CAUSE.search(shown):
            self._cause = self.last
        data = shown.encode() + b"\n"
        if self._size > BYTES:
            if not self._rotate:
                self._keep_end(data)
                return
            self._path.replace(self._path.with_suffix(".log.1"))
            self._size = 0
        self._size += len(data)
        with self._path.open("ab") as file:
            file.write(data)

    def begin(self, line: str) -> None:
        """Add a line that begins a command: what failed before it is no cause of its end."""
        self._cause = self._cause_of_npm = ""
        self(line)

    @property
    def cause(self) -> str:
        """The line that most likely says why a command failed: the last that speaks of an error, else the last.

        What npm says of a script that failed comes after what the script says itself.
        """
        return self._cause or self._cause_of_npm or self.last

    def close(self) -> None:
        """Write the end that was kept."""
        if self._end:
            note = f"The log is full: {self._left_out:,} lines are left out here.\n".encode()
            with self._path.open("ab") as file:
                file.write((note if self._left_out else b"") + b"".join(self._end))
            self._end.clear()

    def _keep_end(self, data: bytes) -> None:
        self._end.append(data)
        while sum(map(len, self._end)) > END:
            self._end.popleft()
            self._left_out += 1


def read_end(path: Path, size: int) -> str:
    """The last whole lines within `size` bytes."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        start = max(file.seek(0, 2) - size, 0)
        file.seek(start)
        data = file.read(size)
    if start:
        data = data[data.find(b"\n") + 1 :]
    return data.decode(errors="replace")


def read_log(path: Path, after: int) -> tuple[str, int]:
    """Whole lines from byte `after` on, and the byte to go on from."""
    if not path.exists():
        return "", after
    with path.open("rb") as file:
        file.seek(after)
        data = file.read(READ)
    data = data[: data.rfind(b"\n") + 1]
    return data.decode(errors="replace"), after + len(data)


def read_on(path: Path, after: int | None, tail: int) -> tuple[str, int, bool]:
    """Whole lines from byte `after` on, or (None) the last within `tail` bytes, and the byte to go on from.

    True: the file was put aside for a new one meanwhile; these are the rest of it, and the new one follows.
    """
    size = path.stat().st_size if path.exists() else 0
    if after is not None and after > size:
        return read_log(path.with_suffix(".log.1"), after)[0], 0, True
    if after is None and size > tail:
        text, following = read_log(path, size - tail - 1)  # from a byte before, to begin with a whole line
        return text[text.find("\n") + 1 :], following, False
    return *read_log(path, after or 0), False
