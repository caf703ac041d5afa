"""Where the reading of a file stands, and what is read from there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LONGEST_RECORD = 4_000_000
"""Bytes of one record; the longest real ones, with thousands of authors, have some 100,000."""
TOO_LONG = f"it has more than {LONGEST_RECORD:,} bytes"
"""Why a longer record is refused."""
_REASON_SHOWN = 300
_RECORD_SHOWN = 500


@dataclass(frozen=True, slots=True)
class Mark:
    """A place between two records.

    Attributes:
        member: where the gzip member begins in which the place is, in bytes of the file as stored; 0 where the file
            is not packed.
        offset: bytes from there, unpacked; of a part of a Parquet file, rows.
    """

    member: int
    offset: int


@dataclass(frozen=True, slots=True)
class Record:
    """A record, or why there is none.

    Attributes:
        value: its fields; None if it could not be read.
        reason: why it could not be read.
        beginning: the first characters of one that could not be read.
        lines: how many lines of the file it takes, so that a person can find it; rows count as lines.
        after: the place behind it.
    """

    value: dict[str, Any] | None
    after: Mark
    lines: int = 1
    reason: str = ""
    beginning: str = ""

    @classmethod
    def refused(cls, after: Mark, reason: str, record: str | bytes = b"") -> Record:
        """What could not be read, with the beginnings of the reason and of the record."""
        shown = record[:_RECORD_SHOWN]
        beginning = shown.decode(errors="replace") if isinstance(shown, bytes) else shown
        return cls(None, after, reason=reason[:_REASON_SHOWN], beginning=beginning)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file with its end; None for one of more than LONGEST_RECORD bytes, which is passed over."""

    data: bytes | None
    after: Mark
