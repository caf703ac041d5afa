"""Times and retry policies as .NET reads them in host.json, in settings and in decorators."""

import re
import time
from collections.abc import Mapping
from typing import Any

from local.host.core.errors import ConfigurationError
from local.host.core.functions import RetryPolicy
from local.host.core.logs import warn_once

_LAST_HOUR = 23


def parse_timespan(text: str) -> float | None:
    """Seconds of a .NET TimeSpan `[d.]hh:mm[:ss[.fraction]]` or a number of days; None when it is neither.

    Days may also be divided by a colon, but only from all of `hh:mm:ss`; `25:00:00` is 25 days then, with a warning.
    """
    days_part = r"(?:(\d+)(?:\.|:(?=\d+:\d+:)))?"
    match = re.fullmatch(days_part + r"(\d{1,8}):(\d{1,2})(?::(\d{1,2}(?:\.\d{1,7})?))?", text.strip())
    if match is None:
        return float(text) * 86400 if re.fullmatch(r"\d+", text.strip()) else None
    days, hours, minutes, seconds = match.groups()
    if days is None and int(hours) > _LAST_HOUR and re.fullmatch(r"\d+", seconds or ""):
        warn_once(
            "The time '%s' is %s days, %s hours and %s minutes, as .NET reads it. "
            "Were %s hours meant, write %d.%02d:%s:%s.",
            *(text.strip(), hours, minutes, seconds, hours),
            *(*divmod(int(hours), 24), minutes, seconds),
        )
        days, hours, minutes, seconds = hours, minutes, seconds, None
    if int(hours) > _LAST_HOUR or int(minutes) > 59 or float(seconds or 0) >= 60:  # noqa: PLR2004 - minutes
        return None
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds or 0)


def parse_retry(fields: Mapping[str, Any]) -> RetryPolicy:
    """A retry policy of the decorator or host.json, keys in lower case. Raises ConfigurationError."""
    declared = "max_retry_count" in fields  # by a decorator, whose names have underscores, and which the worker reads

    def field(name: str) -> Any:
        return fields.get(name, fields.get(name.replace("_", "")))

    def seconds(name: str) -> float:
        text = str(field(name))
        parsed = _clock_time(text) if declared else parse_timespan(text)
        if parsed is None:
            raise ConfigurationError(
                f"Retry policy: {name} must be a time such as 00:00:05{' of less than a day' if declared else ''}, not "
                f"{field(name)!r}, for the strategy {strategy!r}. "
                "(A decorator takes fixed_delay; anything else is exponential_backoff.)"
            )
        return parsed

    try:
        retries = int(field("max_retry_count") or 0)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"Retry policy: max_retry_count must be a whole number, not {field('max_retry_count')!r}."
        ) from None
    strategy = str(fields.get("strategy", ""))
    fixed = "fixed_delay" if declared else "fixeddelay"
    if strategy.lower() == fixed:
        return RetryPolicy(retries, fixed_delay=seconds("delay_interval"))
    return RetryPolicy(retries, minimum_delay=seconds("minimum_interval"), maximum_delay=seconds("maximum_interval"))


def _clock_time(text: str) -> float | None:
    """Seconds of a time as the worker reads it: hours, minutes and seconds of one day."""
    try:
        found = time.strptime(text, "%H:%M:%S")
    except ValueError:
        return None
    return found.tm_hour * 3600 + found.tm_min * 60 + found.tm_sec
