"""What a build or an app wrote, in a file, with the values of secrets hidden and an upper bound."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from local.apps.commands.masking import MASK, Mask
from local.apps.commands.process import LINE

BYTES = 10_000_000
READ = 262_144
END = 65_536
_OVER = 262_144
"""Bytes by which a full log grows at most until a value that has begun in it is whole."""
_CAUSE = re.compile(
    r"\b([A-Za-z]*(Error|Exception)\b|error\b|ERROR\b|fatal:"
    r"|E(NOTFOUND|AI_AGAIN|CONN[A-Z]+|ADDRINUSE|HOSTUNREACH|TIMEDOUT|NOENT|ACCES|PERM|NOSPC|MFILE|XIST|PIPE)\b)"
)
_NO_CAUSE = re.compile(
    r"A debug log|errno|For more information|Worker failed to boot|Shutting down: |exited with code"
    r"|This error originates|error: (subprocess-exited-with-error|metadata-generation-failed)|Encountered error while"
    r"|run your poetry command with -v|Failed with errors in"
    r"|Emitted 'error' event|^\s*(code|syscall|path|address|hostname|port): "
)
_WEAK_CAUSE = re.compile(r"\b([Ff]ailed|forbidden)\b")
"""What says why where nothing speaks of an error."""
_NPM = re.compile(r"npm (error|ERR!)")
_NO_CAUSE_OF_NPM = re.compile(r"npm \S+ *(code [A-Z\d]+|errno .*|syscall .*|path .*|command .*)?$")
"""Npm says what is wrong in the first line after these, then how it is used and where it logs."""


class _Last:
    """The last lines within a number of bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._bytes = 0
        self.lines: deque[bytes] = deque()

    def add(self, line: bytes) -> list[bytes]:
        """Add a line; the ones that have no place any more."""
        self.lines.append(line)
        self._bytes += len(line)
        passed: list[bytes] = []
        while self._bytes > self._most:
            passed.append(self.lines.popleft())
            self._bytes -= len(passed[-1])
        return passed

    def __str__(self) -> str:
        return b"".join(self.lines).decode(errors="replace")


class LogFile:
    """Lines appended to a file. A full one is put aside (an app's) or keeps only its end (a build's).

    What was put aside is named for the byte of the whole log at which it ends, `app.log.10000123`, so that a place in
    the log stays what it is. That end of a build's log is written by `close`. Whoever reads the file knows a value that
    a program wraps only where it is whole, so no part of one stays where the rest is left out.
    """

    def __init__(self, path: Path, mask: Mask, *, rotate: bool) -> None:
        self._path = path
        self._mask = mask
        self._rotate = rotate
        self._size = path.stat().st_size if path.exists() else 0
        self._end: _Last | None = None
        self._left_out = 0
        self._over = 0
        values = 2 * mask.longest  # with line ends and what they are indented by
        self._written, self._passed = _Last(values), _Last(values)
        self._hidden = ""
        """Long lines that were hidden, as a value begins where they are cut."""
        self._cause = self._cause_of_npm = self._weak_cause = ""
        self.last = ""
        """The last line with anything on it."""

    def __call__(self, line: str) -> None:
        """Add a line."""
        shown = self._shown(self._mask(line))
        self.last = shown.strip() or self.last
        if _NPM.match(shown):
            if not self._cause_of_npm and not _NO_CAUSE_OF_NPM.match(shown):
                self._cause_of_npm = self.last
        elif _CAUSE.search(shown) and not _NO_CAUSE.search(shown):
            self._cause = self.last
        elif _WEAK_CAUSE.search(shown) and not _NO_CAUSE.search(shown):
            self._weak_cause = self.last
        data = shown.encode() + b"\n"
        if self._size > BYTES:
            if self._rotate:
                _put_aside(self._path)
                self._size = 0
            elif self._end or self._over > _OVER or not self._mask.leaves_open(str(self._written)):
                self._keep_end(data)
                return
            else:
                self._over += len(data)
        self._size += len(data)
        self._written.add(data)
        with self._path.open("ab") as file:
            file.write(data)

    def begin(self, line: str) -> None:
        """Add a line that begins a command: what failed before it is no cause of its end."""
        self._cause = self._cause_of_npm = self._weak_cause = ""
        self(line)

    @property
    def cause(self) -> str:
        """The line that most likely says why a command failed: the last that speaks of an error, else the last.

        What npm says of a script that failed comes after what the script says itself.
        """
        return self._cause or self._cause_of_npm or self._weak_cause or self.last

    def close(self) -> None:
        """Write the end that was kept."""
        if self._end:
            kept = self._end.lines
            while kept and self._left_out and self._mask.leaves_open(str(self._passed)):
                self._passed.add(kept.popleft())
                self._left_out += 1
            note = f"The log is full: {self._left_out:,} lines are left out here.\n".encode()
            with self._path.open("ab") as file:
                file.write((note if self._left_out else b"") + b"".join(kept))
            self._end = None

    def _keep_end(self, data: bytes) -> None:
        self._end = self._end or _Last(END)
        for passed in self._end.add(data):
            self._passed.add(passed)
            self._left_out += 1

    def _shown(self, masked: str) -> str:
        """The line, within LINE characters."""
        if self._hidden and self._mask.leaves_open(self._hidden):
            self._hidden += f"\n{masked}"
            return MASK
        cut = len(masked) > LINE and self._mask.leaves_open(masked)
        self._hidden = masked if cut else ""
        return MASK if cut else masked[:LINE]


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


@dataclass(frozen=True, slots=True)
class Part:
    """Whole lines of a log, the byte of the log to go on from, and what stands before them as far as it is kept."""

    text: str
    following: int
    before: str = ""


def read_on(path: Path, after: int | None, tail: int) -> Part:
    """Whole lines from byte `after` of the log on, or (None) the last within `tail` bytes; up to `tail` bytes before.

    Of a log whose file was put aside meanwhile, the rest of that comes first. What is kept no longer is passed over.
    """
    if after is None:
        start, data = _read(path, max(_size(path) - tail - 1, 0), tail + READ)  # to begin with a whole line
        first = data.find(b"\n") + 1 if start else 0
    else:
        start, data = _read(path, max(min(after, _size(path)) - tail, 0), tail + READ)
        first = max(min(after, _size(path)) - start, 0)
    whole = max(data.rfind(b"\n") + 1, first)
    text = data[first:whole].decode(errors="replace")
    return Part(text, start + whole, data[:first].decode(errors="replace") if text else "")


def _put_aside(path: Path) -> None:
    """Begin a new file. One of those put aside is kept; the rename is the one step that a crash can fall into."""
    before = _aside(path)
    path.replace(path.with_name(f"{path.name}.{_size(path)}"))
    if before is not None:
        before.unlink()


def _aside(path: Path) -> Path | None:
    """The newest file that was put aside."""
    asides = [one for one in path.parent.glob(f"{path.name}.*") if one.suffix[1:].isdecimal()]
    return max(asides, key=_ends_at, default=None)


def _ends_at(aside: Path | None) -> int:
    return int(aside.suffix[1:]) if aside else 0


def _size(path: Path) -> int:
    """Bytes of the whole log, what is kept no longer included."""
    return _ends_at(_aside(path)) + _length(path)


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _read(path: Path, start: int, length: int) -> tuple[int, bytes]:
    """Bytes of the log from `start` on, or from where what is kept of it begins, which is said."""
    while True:
        aside = _aside(path)
        ends = _ends_at(aside)
        data = b""
        if aside is not None:
            begins = max(ends - _length(aside), 0)
            start = max(start, begins)
            data = _chunk(aside, start - begins, length) if start < ends else b""
        data += _chunk(path, max(start - ends, 0), length - len(data))
        if _aside(path) == aside:  # else it was put aside in between
            return start, data


def _chunk(path: Path, start: int, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(length)
    except FileNotFoundError:
        return b""
