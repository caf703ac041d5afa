"""Where a page of a list begins that is ordered by moments: behind the last row of the page before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a list of numbered rows: behind the row of that number, less so many, and `limit` at most."""

    limit: int
    behind: int | None = None
    skip: int = 0


PATTERN = r"^[0-9]{1,16}-[0-9]{1,18}$"
"""Of a cursor: microseconds since 1970, and the number that tells rows of one moment apart."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """A row of such a list."""

    at: datetime
    number: int

    @classmethod
    def of(cls, cursor: str | None) -> Place | None:
        """The place of a cursor that fits PATTERN; None at the beginning."""
        if cursor is None:
            return None
        microseconds, _, number = cursor.partition("-")
        return cls(_EPOCH + timedelta(microseconds=int(microseconds)), int(number))

    @property
    def cursor(self) -> str:
        """The place in the form of PATTERN."""
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.number}"


BEHIND = "(%(at)s::timestamptz is null or ({}) {} (%(at)s, %(number)s::bigint))"
"""A condition of SQL that two columns are behind the place of `parameters`: by <, where the newest come first, or >."""


def parameters(place: Place | None) -> dict[str, datetime | int | None]:
    """What BEHIND compares with; nulls for the beginning."""
    return {"at": place.at if place else None, "number": place.number if place else None}
