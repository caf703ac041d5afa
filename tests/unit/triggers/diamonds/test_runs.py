"""What the night's run reads."""

import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from shared.diamonds.runs.schedule import nightly_run_type
from shared.diamonds.settings import DiamondSettings
from tests.fresh_settings import forget_settings
from triggers.diamonds.runs import diamonds_nightly

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


async def test_where_no_supplier_is_known_the_timer_says_so_and_reads_nothing(monkeypatch, caplog) -> None:
    monkeypatch.setenv("FEEDS", "none")
    forget_settings()
    caplog.set_level(logging.INFO)
    nightly = diamonds_nightly.build().get_user_function().__wrapped__
    await nightly(SimpleNamespace(past_due=False), client=None)
    forget_settings()
    assert [record.message for record in caplog.records] == [
        "No nightly run was started: FEEDS is none. Name a feed there, and give its supplier's address and account."
    ]
