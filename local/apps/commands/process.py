"""A command as a process of the platform: within limits, its output line by line, ended with all that it started."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_LAUNCHER = Path(__file__).with_name("launcher.py")
_CHUNK = 65_536
_REST_SECONDS = 10
"""How long the rest of the output may take to be read once the command has ended."""
LINE = 4_000
"""Characters of a line of output that are kept."""


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What a command and all that it starts may use; None: as much as there is.

    Attributes:
        memory: bytes, of each process and of all together.
        processes: at the same time.
        file: bytes of one file.
        disk: bytes of all files below its folder, counted every `disk_every_seconds` seconds.
        cores: that all processes together may keep busy; over it they are paused.
        seconds: from start to end.
    """

    memory: int
    processes: int = 256
    file: int | None = 1_000_000_000
    disk: int | None = 4_000_000_000
    disk_every_seconds: float = 2
    cores: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code (negative: the signal), and why the platform ended it if it did."""

    code: int
    reason: str | None

    @property
    def words(self) -> str:
        if self.reason:
            return self.reason
        return f"it was ended by signal {-self.code}" if self.code < 0 else f"it ended with code {self.code}"


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, where, and as whom (None: as the platform's own user).

    Attributes:
        environment: all of it; nothing is inherited.
        disk_of: folder whose size `limits.disk` bounds.
        grace_seconds: seconds between asking it to end and killing it.
    """

    words: Sequence[str]
    folder: Path
    disk_of: Path
    environment: Mapping[str, str]
    limits: ProcessLimits
    uid: int | None
    grace_seconds: float = 0
    look_seconds: float = 0.2
    nice: int = 0


class Process:
    """A running command. Made by `start`; has to be stopped, or to have ended, before it is dropped."""

    def __init__(self, process: asyncio.subprocess.Process, say: Callable[[str], None]) -> None:
        self._process = process
        self._say = say
        self._ended = asyncio.create_task(self._follow())

    @classmethod
    async def start(cls, command: Command, say: Callable[[str], None]) -> Process:
        """Start it; `say` gets its output line by line."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            _LAUNCHER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={},
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(_order(command)).encode() + b"\n")
        return cls(process, say)

    @property
    def pid(self) -> int:
        """Of the program that is the parent of all that the command starts."""
        return self._process.pid

    @property
    def running(self) -> bool:
        return not self._ended.done()

    async def wait(self) -> Ended:
        """Its end; nothing of it runs any more."""
        return await asyncio.shield(self._ended)

    async def stop(self) -> Ended:
        """End it and all that it started."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return await self.wait()

    async def _follow(self) -> Ended:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        reading = asyncio.gather(self._process.stderr.read(), self._lines(self._process.stdout))
        await self._process.wait()
        report = b""
        # The launcher ends last of all, unless it was killed itself: then orphans may hold the pipes.
        with contextlib.suppress(TimeoutError):
            report, _ = await asyncio.wait_for(reading, _REST_SECONDS)
        with contextlib.suppress(ValueError, KeyError):
            outcome: dict[str, Any] = json.loads(report)
            return Ended(int(outcome["code"]), outcome["reason"])
        return Ended(-9, "what watches over it was killed")

    async def _lines(self, output: asyncio.StreamReader) -> None:
        """Pass on each line; of one that is over _CHUNK bytes the beginning, since a secret may lie over any cut."""
        rest, passed_on = b"", False
        while chunk := await output.read(_CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if not passed_on:
                    self._say(_text(line))
                passed_on = False
            if len(rest) > _CHUNK:
                if not passed_on:
                    self._say(_text(rest))
                rest, passed_on = b"", True
        if rest and not passed_on:
            self._say(_text(rest))


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode(errors="replace")


def _order(command: Command) -> dict[str, Any]:
    return {
        "argv": list(command.words),
        "cwd": str(command.folder),
        "disk_of": str(command.disk_of),
        "env": dict(command.environment),
        "limits": asdict(command.limits),
        "uid": command.uid,
        "grace_seconds": command.grace_seconds,
        "look_seconds": command.look_seconds,
        "nice": command.nice,
    }
