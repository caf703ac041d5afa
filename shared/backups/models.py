"""What a backup says of itself, and what the steps that take and verify one say to each other."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from shared.platform.models import LazyModel

FORMAT = 1
"""Of the manifest and its chunks. A backup of another is refused."""


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else f'"{doubled}"'


class Chunk(LazyModel):
    """The rows of some blocks of a table, in a gzipped file of PostgreSQL's binary COPY."""

    model_config = ConfigDict(frozen=True)
    blob: str
    sha256: str
    size: int = Field(description="bytes of the file")
    rows: int
    checksum: int = Field(description="sum of the rows' hashes")
    new: bool = Field(default=False, exclude=True, description="written now; else by an earlier backup of its chain")


class Table(LazyModel):
    """One table."""

    model_config = ConfigDict(frozen=True)
    schema_name: str
    name: str
    columns: list[str] = Field(description="in the order of the chunks; generated ones are computed again")
    late: bool = Field(description="holds vectors: restored last, since everything but search by meaning works without")
    definition: list[str] = Field(description="statements that make it, or what a migration's lacks of it")
    cut: int = Field(default=8_192, description="blocks of 8 kB of a chunk, without what lies in its TOAST")
    chunks: list[Chunk] = Field(default=[])

    @property
    def place(self) -> tuple[str, str]:
        return self.schema_name, self.name

    @property
    def full_name(self) -> str:
        """As SQL has it, so that no two tables have the same."""
        return f"{_quoted(self.schema_name)}.{_quoted(self.name)}"

    @property
    def rows(self) -> int:
        return sum(chunk.rows for chunk in self.chunks)

    @property
    def checksum(self) -> int:
        return sum(chunk.checksum for chunk in self.chunks)


class Sequence(LazyModel):
    """Where a sequence stands."""

    model_config = ConfigDict(frozen=True)
    schema_name: str
    name: str
    last_value: int
    is_called: bool

    @property
    def place(self) -> tuple[str, str]:
        return self.schema_name, self.name


class CarriedFile(LazyModel):
    """A file in Blob Storage that rows name, and its copy among the backups."""

    model_config = ConfigDict(frozen=True)
    container: str
    name: str
    blob: str = Field(description="the copy, in the container of the backups")
    sha256: str
    size: int = Field(description="bytes")


class StoredDefinitions(LazyModel):
    """The file with the statements that make what is defined beside tables; shared by backups of a chain."""

    model_config = ConfigDict(frozen=True)
    blob: str
    sha256: str


class AppliedMigration(LazyModel):
    """A migration that the database had seen."""

    model_config = ConfigDict(frozen=True)
    name: str
    sha256: str


class Manifest(LazyModel):
    """A backup: all that the database held at one moment, chunk by chunk."""

    model_config = ConfigDict(frozen=True)
    format: int = FORMAT
    id: str
    chain: str
    taken_at: datetime
    database: str
    server_version: str
    migrations: list[AppliedMigration]
    tables: list[Table]
    sequences: list[Sequence]
    files: list[CarriedFile] = Field(default=[])
    others: StoredDefinitions | None = Field(default=None, description="what is defined beside tables")
    objects: dict[str, str] = Field(
        default={}, description="all that is defined, by kind and name: a hash of what defines it"
    )


class TakeBackup(LazyModel):
    """Which backup to take. The id is that of its orchestration's start, so that a repeat makes the same one."""

    model_config = ConfigDict(frozen=True)
    id: str
    chain: str


class TakeAndVerify(TakeBackup):
    """The same, and whether it is restored afterwards to see that it can be."""

    verify: bool = False


class BackupProgress(LazyModel):
    """How far a backup is."""

    model_config = ConfigDict(frozen=True)
    done: bool
    chunks: int
    total: int
    rows: int = 0
    new_bytes: int = 0


class BackupRequest(LazyModel):
    """Take a backup; `verify` restores it into the scratch database afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True)
    verify: bool = False


class BackupRef(LazyModel):
    """One backup, and where it is restored: into the scratch database."""

    model_config = ConfigDict(frozen=True)
    id: str


class Rejection(BackupRef):
    """A backup that could not be restored, and why."""

    reason: str
    code: str = Field(default="", description="of the error")


class TableRef(LazyModel):
    """One table of a backup."""

    model_config = ConfigDict(frozen=True)
    id: str
    table: str


class RestorePlan(LazyModel):
    """The tables of a backup in the two rounds in which they are restored."""

    model_config = ConfigDict(frozen=True)
    early: list[str]
    late: list[str]
    differences: list[str] = Field(default=[], description="definitions that could not be made as they were")


class BuildIndexes(LazyModel):
    """Make the foreign keys of a round."""

    model_config = ConfigDict(frozen=True)
    id: str
    late: bool


class RestoredTable(LazyModel):
    """Rows that a table has, and whether these are all."""

    model_config = ConfigDict(frozen=True)
    rows: int
    done: bool = True


class BuiltIndexes(LazyModel):
    """Whether all that was asked for is there."""

    model_config = ConfigDict(frozen=True)
    done: bool = True


class Verdict(LazyModel):
    """What came of a restore into the scratch database."""

    model_config = ConfigDict(frozen=True)
    verdict: Literal["same", "different"]
    tables: int
    rows: int
    differences: list[str] = Field(default=[], description="the first ten things that differ, and how")
    done: bool = Field(default=True, description="false: the time box ended first, and the next one goes on")


class Backup(LazyModel):
    """A backup as operators see it."""

    id: str
    chain: str
    taken_at: datetime
    tables: int
    rows: int
    size: int = Field(description="bytes of all its chunks, those of earlier backups with them")
    verified: bool | None = Field(description="None: it was not restored yet to see that it can be")
    problem: str | None = Field(default=None, description="Why it cannot be restored")


class BackupOutcome(LazyModel):
    """What an orchestration of a backup ends with."""

    id: str
    rows: int
    new_bytes: int
    verified: bool | None = None
