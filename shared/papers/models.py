"""What the layers of the workload papers say to each other."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field

from shared.platform.models import LazyModel

MOST_BOXES = 500
"""Time boxes of one step that is repeated: with the longest box more than two days."""

SourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,49}$")]


def _blob_name(name: str) -> str:
    if not name.isprintable() or any(part in ("", ".", "..") for part in name.split("/")):
        raise ValueError("A file's name is of printable characters, and none of its parts is empty, `.` or `..`.")
    return name


BlobName = Annotated[str, Field(min_length=1, max_length=900), AfterValidator(_blob_name)]


class IngestState(StrEnum):
    """How far the ingest of a file is."""

    WAITING = "waiting"
    READING = "reading"
    HELD = "held"
    MERGING = "merging"
    COMPLETED = "completed"
    FAILED = "failed"
    DISCARDED = "discarded"


class IngestRef(LazyModel):
    """An ingest."""

    model_config = ConfigDict(frozen=True)
    ingest_id: UUID


class IngestPlan(LazyModel):
    """The parts that a file was cut into; `ended` if it was taken in, or given up, before."""

    model_config = ConfigDict(frozen=True)
    ingest_id: UUID
    parts: int
    ended: bool = False


class ReadPart(LazyModel):
    """A part of a file to be read on, for one time box."""

    model_config = ConfigDict(frozen=True)
    ingest_id: UUID
    part: int


class PartRead(LazyModel):
    """How far a part was read."""

    model_config = ConfigDict(frozen=True)
    records: int
    rejected: int
    done: bool


class Verdict(LazyModel):
    """Whether a file may be merged, and why not."""

    model_config = ConfigDict(frozen=True)
    records: int
    rejected: int
    held_because: list[str] = Field(default_factory=list[str])


class Merged(LazyModel):
    """What one time box of merging did."""

    model_config = ConfigDict(frozen=True)
    added: int
    changed: int
    unchanged: int
    done: bool

    def plus(self, other: Merged) -> Merged:
        """Both together; done if the other is."""
        return Merged(
            added=self.added + other.added,
            changed=self.changed + other.changed,
            unchanged=self.unchanged + other.unchanged,
            done=other.done,
        )


class IngestSummary(LazyModel):
    """What taking a file in came to; `ended_before` if nothing was left to do."""

    model_config = ConfigDict(frozen=True)
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    held_because: list[str] = Field(default_factory=list[str])
    ended_before: bool = False


class EndIngest(LazyModel):
    """How an ingest ended."""

    model_config = ConfigDict(frozen=True)
    ingest_id: UUID
    state: IngestState
    error: str | None = Field(default=None, max_length=1000)


class Ended(LazyModel):
    """What is left to do behind an ingest that has ended."""

    model_config = ConfigDict(frozen=True)
    embed: bool = Field(default=False, description="whether papers wait for vectors and nobody computes them")


class Ingest(LazyModel):
    """The ingest of a file, as its rows stand now."""

    ingest_id: UUID
    blob: str
    source: str
    format: str | None = Field(description="jsonl, csv or parquet; null: not told yet")
    gzip: bool
    size: int = Field(description="bytes, as stored")
    state: IngestState
    held_because: list[str]
    parts: int
    parts_read: int
    records: int = Field(description="read, and not rejected")
    rejected: int
    added: int
    changed: int
    unchanged: int = Field(description="of which the same, or a newer record, is known")
    error: str | None
    started_by: str
    started_at: datetime
    ended_at: datetime | None


class Reject(LazyModel):
    """A record that could not be taken in."""

    line: int | None = Field(description="of the file, the first being 1; null until the parts before it are read")
    reason: str
    record: str = Field(description="its beginning")
