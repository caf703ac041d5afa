"""Moments that callers name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime

FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
END: Final = datetime(2200, 1, 1, tzinfo=UTC)


def _in_bounds(moment: datetime) -> datetime:
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        in_utc = None
    if in_utc is None or not FIRST <= in_utc < END:
        raise ValueError(f"a moment is from {FIRST:%Y} on and before {END:%Y}")
    return in_utc


Moment = Annotated[AwareDatetime, AfterValidator(_in_bounds)]
"""A moment with its offset, kept in UTC, in years that every time zone and every store knows."""
