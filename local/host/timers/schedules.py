"""Timer schedules: NCRONTAB expressions and TimeSpans, in a time zone with summer time."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from local.host.core.logs import warn_once
from local.host.settings.values import parse_timespan

_FIELD_RANGES = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "weekday": (0, 6),
}
_NAMES = {
    "month": ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
              "november", "december"],
    "weekday": ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"],
}  # fmt: skip
_PART = re.compile(r"(?:(\*)|([0-9a-z]+)(?:-([0-9a-z]+))?)(?:/([0-9]+))?\Z")


class ScheduleInvalid(ValueError):
    """A schedule that the timer extension does not recognise."""


@dataclass(frozen=True)
class Schedule:
    """When a timer is due. `next_after` takes and gives aware times."""

    text: str
    next_after: Callable[[datetime], datetime]

    @property
    def is_sub_minute(self) -> bool:
        """Whether two runs lie less than a minute apart: the monitor is off for such a timer."""
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        first = self.next_after(moment)
        return any((self.next_after(first) - first) < timedelta(minutes=1) for first in [first, self.next_after(first)])


def parse_schedule(text: str, zone: tzinfo) -> Schedule:
    """The schedule of a timer trigger. Raises ScheduleInvalid in the timer extension's words."""
    seconds = parse_timespan(text) if ":" in text else None
    if seconds is not None and seconds > 0:
        return Schedule(text, lambda after: after + timedelta(seconds=seconds))
    try:
        expression, fixed_hours = _normalise(text)
    except ValueError as error:
        raise ScheduleInvalid(
            f"The schedule expression '{text}' was not recognized as a valid cron expression or timespan string."
        ) from error
    return Schedule(text, lambda after: _next(expression, fixed_hours, after, zone))


def _normalise(text: str) -> tuple[str, bool]:
    """A six-field expression with numbers only, and whether its hours are fixed ones. Raises ValueError."""
    fields = text.split()
    if len(fields) == len(_FIELD_RANGES) - 1:
        fields.insert(0, "0")
    if len(fields) != len(_FIELD_RANGES):
        raise ValueError(text)
    normal = [_field(kind, field) for kind, field in zip(_FIELD_RANGES, fields, strict=True)]
    return " ".join(normal), re.fullmatch(r"[0-9,]+", normal[2]) is not None


def _field(kind: str, text: str) -> str:
    low, high = _FIELD_RANGES[kind]
    parts: list[str] = []
    for part in text.lower().split(","):
        match = _PART.match(part)
        if match is None:
            raise ValueError(part)
        star, first, last, step = match.groups()
        start = low if star else _number(kind, first)
        # `5/15` means from 5 to the end of the range in steps of 15.
        end = _number(kind, last) if last else high if star or step else start
        if not low <= start <= high or not low <= end <= high or step == "0":
            raise ValueError(part)
        if start > end:
            start, end = end, start
            warn_once(
                "The range '%s' of a schedule's field '%s' runs backwards: as in Azure it means %d-%d. Where it shall "
                "go on over the field's end, write two ranges.",
                *(part, kind, start, end),
            )
        parts.append("*" if star and not step else f"{start}-{end}/{step or 1}" if end > start else str(start))
    return ",".join(parts)


def _number(kind: str, text: str) -> int:
    if text.isdigit():
        return int(text)
    names = [index for index, name in enumerate(_NAMES.get(kind, [])) if len(text) > 2 and name.startswith(text)]  # noqa: PLR2004 - three letters tell names apart
    if not names:
        raise ValueError(text)
    return names[0] + (1 if kind == "month" else 0)


def _next(expression: str, fixed_hours: bool, after: datetime, zone: tzinfo) -> datetime:
    local = after.astimezone(zone)
    wall = local.replace(tzinfo=None, fold=0)
    found = _resolve(_next_wall(expression, wall), zone)
    if fixed_hours:
        # When clocks go back, a fixed time runs once: the second pass over the hour is skipped.
        while found <= after:
            wall = found.astimezone(zone).replace(tzinfo=None, fold=0)
            found = _resolve(_next_wall(expression, wall), zone)
        return found.astimezone(UTC)
    return min(one for one in [found, *_second_pass(expression, after, zone)] if one > after).astimezone(UTC)


def _second_pass(expression: str, after: datetime, zone: tzinfo) -> list[datetime]:
    """The next run in the repeated hour of a day on which clocks go back, for schedules that run every hour."""
    back = next(
        (
            moment
            for hour in range(3)
            if _offset(moment := after + timedelta(hours=hour), zone) > _offset(moment + timedelta(hours=1), zone)
        ),
        None,
    )
    if back is None and _offset(after - timedelta(hours=1), zone) > _offset(after, zone):
        back = after - timedelta(hours=1)
    if back is None:
        return []
    low, high = back, back + timedelta(hours=1)
    while high - low > timedelta(milliseconds=1):
        middle = low + (high - low) / 2
        low, high = (middle, high) if _offset(middle, zone) == _offset(back, zone) else (low, middle)
    change = max(high.replace(microsecond=high.microsecond // 1000 * 1000), after)
    wall = change.astimezone(zone).replace(tzinfo=None, fold=0) - timedelta(microseconds=1 if change > after else 0)
    second = _next_wall(expression, wall).replace(tzinfo=zone, fold=1)
    return [second.astimezone(UTC)]


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _next_wall(expression: str, wall: datetime) -> datetime:
    from croniter import croniter  # noqa: PLC0415 - only apps with timers need it

    # The day of the month and the day of the week must both fit, unlike in crontab.
    return croniter(expression, wall, day_or=False, second_at_beginning=True, max_years_between_matches=30).get_next(
        datetime
    )


def _resolve(wall: datetime, zone: tzinfo) -> datetime:
    return wall.replace(tzinfo=zone).astimezone(UTC)
