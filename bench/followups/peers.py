"""The peers: programs in an environment of their own, on tables of their own in the same database."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg

from bench.followups.trial import HOSTS, Host, address

HERE = Path(__file__).parent


class _Program:
    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = command
        self._log = log
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        with self._log.open("a") as log:
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise SystemExit(f"{self._command[1]} did not start; see {self._log}.")

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()


class Peer:
    """A program that takes the database, the sink's port, and words of its own, and says `ready`."""

    def __init__(self, title: str, program: str, words: Sequence[str], where: Where) -> None:
        self.title = title
        self._program, self._words, self._where = program, words, where

    def hosts(self) -> Sequence[Host]:
        self._run("prepare")
        return [_Program(self._command("work"), self._where.folder / f"{self._program}.log") for _ in range(HOSTS)]

    def plan(self, mails: int, due: float) -> None:
        with psycopg.connect(self._where.dsn) as connection:
            rows = [(address(number), due) for number in range(mails)]
            connection.cursor().executemany(
                "insert into peer.tasks (recipient, scheduled_for) values (%s, to_timestamp(%s))", rows
            )
        self._run("plan")

    def waiting(self) -> int:
        return int(self._run("waiting"))

    def unresolved(self) -> set[str]:
        with psycopg.connect(self._where.dsn) as connection:
            found = connection.execute("select recipient from peer.tasks where status <> 'sent'").fetchall()
        return {str(row[0]) for row in found}

    def _command(self, verb: str) -> list[str]:
        where = self._where
        return [str(where.python), str(HERE / self._program), verb, where.dsn, str(where.port), *self._words]

    def _run(self, verb: str) -> str:
        return subprocess.run(self._command(verb), check=True, capture_output=True, text=True).stdout


class Where:
    """What all peers are given."""

    def __init__(self, python: Path, dsn: str, port: int, folder: Path) -> None:
        self.python, self.dsn, self.port, self.folder = python, dsn, port, folder
