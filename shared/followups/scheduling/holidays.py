"""Public holidays, as tools/holiday_dates.py wrote them down."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path


@cache
def countries() -> frozenset[str]:
    """The countries whose public holidays are known, by their two letters."""
    return frozenset(_every())


def holiday(country: str | None, day: date) -> str | None:
    """The name of the public holiday on that day; None if it is none, or the year is beyond those written down."""
    return _every().get(country or "", {}).get(day.isoformat())


@cache
def _every() -> dict[str, dict[str, str]]:
    return json.loads(Path(__file__).with_name("holidays.json").read_text(encoding="utf-8"))
