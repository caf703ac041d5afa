"""The time zone in which schedules are read."""

import contextlib
import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.host.core.errors import ConfigurationError


def time_zone(environment: Mapping[str, str]) -> tzinfo:
    """The zone that schedules are read in: WEBSITE_TIME_ZONE, TZ, the machine's own. Raises ConfigurationError."""
    for setting in ("WEBSITE_TIME_ZONE", "TZ"):
        name = environment.get(setting, "").removeprefix(":")
        if not name:
            continue
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ConfigurationError(
                f"The setting {setting} names no time zone: {name!r}. Use one as Europe/Berlin."
            ) from error
    machine = re.search(r"zoneinfo/(.+)$", str(Path("/etc/localtime").resolve()))
    with contextlib.suppress(ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(machine.group(1)) if machine else ZoneInfo("UTC")
    return UTC
