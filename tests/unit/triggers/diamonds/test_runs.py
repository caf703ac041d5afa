"""What the night's run reads."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from shared.diamonds.settings import DiamondSettings
from triggers.diamonds.runs import nightly_run_type

MONDAY = datetime(2026, 11, 23, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "full"), [("none", []), ("sun", [6]), ("mon,thu", [0, 3]), ("mon,tue,wed,thu,fri,sat,sun", [*range(7)])]
)
def test_all_is_read_on_the_days_that_are_named(days: str, full: list[int]) -> None:
    assert DiamondSettings(full_run_days=days).full_run_days == days
    kinds = [nightly_run_type(MONDAY + timedelta(days=day), days) for day in range(7)]
    assert [day for day, kind in enumerate(kinds) if kind == "full"] == full
    assert set(kinds) <= {"full", "incremental"}


@pytest.mark.parametrize("days", ["sunday", "sun,", ",sun", "sun, mon", "SUN", "0", "none,sun"])
def test_other_days_are_refused(days: str) -> None:
    with pytest.raises(ValidationError, match="full_run_days"):
        DiamondSettings(full_run_days=days)
