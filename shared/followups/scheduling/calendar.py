"""The hours in which a client may be written to, in the client's own time zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from shared.followups.scheduling.holidays import countries, holiday
from shared.platform.models import LazyModel

_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
MOST_DAYS_AHEAD = 400
"""A calendar that is closed for longer is unusable."""


@cache
def _zones() -> frozenset[str]:
    """Read once a process: it takes milliseconds. Names of the machine's own clock, and of none, are no zones."""
    return frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}


def _known_zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("this is no time zone of the IANA database, such as Europe/Amsterdam")
    return name


def _known_country(code: str) -> str:
    if code not in countries():
        raise ValueError(f"holidays are known of {', '.join(sorted(countries()))}")
    return code


TimeZone = Annotated[str, Field(max_length=64, description="IANA time zone"), AfterValidator(_known_zone)]
Country = Annotated[str, Field(description="Country whose public holidays are free"), AfterValidator(_known_country)]


def _written_time(value: object) -> object:
    if isinstance(value, time) or (isinstance(value, str) and re.fullmatch(_TIME, value)):
        return value
    raise ValueError("write a local time as HH:MM")


LocalTime = Annotated[
    time,
    BeforeValidator(_written_time),
    WithJsonSchema({"type": "string", "pattern": f"^{_TIME}$", "examples": ["09:00"]}),
]
Weekday = Annotated[int, Field(ge=1, le=7, strict=True)]
WorkingDays = Annotated[
    tuple[Weekday, ...], Field(min_length=1, max_length=7, description="ISO weekdays: 1 is Monday, 7 is Sunday")
]


class Calendar(LazyModel):
    """Working days from `opens` to before `closes`, local time, but for the country's public holidays."""

    model_config = ConfigDict(frozen=True)
    time_zone: TimeZone
    working_days: WorkingDays
    opens: LocalTime
    closes: LocalTime
    country: Country | None = None

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Calendar:
        if self.closes <= self.opens:
            raise ValueError("closes must be later than opens")
        return self


class Opening(LazyModel):
    """The first moment at or after another in which the calendar is open.

    `reason` says why it is not that moment itself; None when it is.
    """

    model_config = ConfigDict(frozen=True)
    at: datetime
    reason: str | None


def local_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """That local time in UTC. Of a time that occurs twice the first; for one that a clock change skips, the change."""
    local = datetime.combine(day, at.replace(tzinfo=None), zone)
    early, late = local.replace(fold=1).astimezone(UTC), local.replace(fold=0).astimezone(UTC)
    if early >= late:  # it exists; fold 0 is the first of two
        return late
    before = early.astimezone(zone).utcoffset()
    while (late - early) > timedelta(seconds=1):
        middle = early + (late - early) // 2
        early, late = (middle, late) if middle.astimezone(zone).utcoffset() == before else (early, middle)
    return late.replace(microsecond=0)


def next_open(moment: datetime, calendar: Calendar) -> Opening:
    """The first open moment that is not before `moment`.

    Raises:
        ValueError: the calendar is not open within MOST_DAYS_AHEAD days.
    """
    zone = ZoneInfo(calendar.time_zone)
    today = moment.astimezone(zone).date()
    reason: str | None = None
    for ahead in range(MOST_DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        if closed := _closed(day, calendar):
            reason = reason or closed
            continue
        opens, closes = local_instant(day, calendar.opens, zone), local_instant(day, calendar.closes, zone)
        if opens <= moment < closes:
            return Opening(at=moment, reason=reason)
        if moment < opens < closes:
            return Opening(at=opens, reason=reason or "before-hours")
        reason = reason or "after-hours"
    raise ValueError(f"the calendar is closed for {MOST_DAYS_AHEAD} days")


def _closed(day: date, calendar: Calendar) -> str | None:
    if day.isoweekday() not in calendar.working_days:
        return "no-working-day"
    name = holiday(calendar.country, day)
    return f"holiday: {name}" if name else None
