"""Write shared/followups/scheduling/holidays.json: public holidays by country and day.

    uv run --no-project --with holidays==0.109 python tools/holiday_dates.py

The dates ship as data, since the library `holidays` takes python-dateutil below 3 only, and the app stands on 4.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

FILE = Path(__file__).parents[1] / "shared" / "followups" / "scheduling" / "holidays.json"
YEARS = range(2026, 2036)
SUBDIVISIONS = {"GB": "ENG"}
COUNTRIES = [
    "AT",
    "AU",
    "BE",
    "CA",
    "CH",
    "DE",
    "DK",
    "ES",
    "FI",
    "FR",
    "GB",
    "IE",
    "IT",
    "NL",
    "NO",
    "NZ",
    "PL",
    "PT",
    "SE",
    "US",
]


def main() -> None:
    """Write the file anew."""
    library = import_module("holidays")
    found = {
        country: {
            day.isoformat(): name
            for day, name in sorted(
                library.country_holidays(
                    country, subdiv=SUBDIVISIONS.get(country), years=YEARS, language="en_US"
                ).items()
            )
            if day.year in YEARS
        }
        for country in sorted(COUNTRIES)
    }
    FILE.write_text(json.dumps(found, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
