"""Local times, and the hours in which a client may be written to."""

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.followups.scheduling.calendar import local_instant, next_open
from shared.followups.scheduling.holidays import holiday
from tests.unit.shared.followups.scheduling.calendars import (
    AMSTERDAM,
    NEW_YORK,
    ZONES,
    calendar,
    calendars,
    moments,
    utc,
)


def test_a_time_that_a_clock_change_skips_is_the_next_instant():
    assert local_instant(date(2027, 3, 14), time(2, 30), ZoneInfo(NEW_YORK)) == utc(2027, 3, 14, 7)


def test_a_time_that_occurs_twice_is_the_first():
    assert local_instant(date(2026, 11, 1), time(1, 30), ZoneInfo(NEW_YORK)) == utc(2026, 11, 1, 5, 30)


def test_nine_in_amsterdam_in_july_is_seven_utc():
    assert next_open(utc(2026, 7, 1, 3), calendar(AMSTERDAM)).at == utc(2026, 7, 1, 7)


def test_what_is_due_on_saturday_is_moved_to_monday_once():
    opening = next_open(utc(2026, 11, 28, 12), calendar())
    assert (opening.at, opening.reason) == (utc(2026, 11, 30, 9), "no-working-day")
    assert next_open(opening.at, calendar()).reason is None


@pytest.mark.parametrize(
    ("country", "day", "expected", "reason"),
    [
        ("US", utc(2028, 7, 4, 12), utc(2028, 7, 5, 9), "holiday: Independence Day"),
        ("GB", utc(2028, 12, 26, 12), utc(2028, 12, 27, 9), "holiday: Boxing Day"),
    ],
)
def test_what_is_due_on_a_holiday_moves_to_the_next_working_day_with_the_reason(country, day, expected, reason):
    opening = next_open(day, calendar(country=country))
    assert (opening.at, opening.reason) == (expected, reason)
    assert next_open(day, calendar()).at == day


@given(calendars, moments)
def test_a_moment_is_moved_at_most_once_and_into_open_hours(given_calendar, moment):
    opening = next_open(moment, given_calendar)
    local = opening.at.astimezone(ZoneInfo(given_calendar.time_zone))
    assert opening.at >= moment
    assert (opening.reason is None) == (opening.at == moment)
    assert local.isoweekday() in given_calendar.working_days
    assert holiday(given_calendar.country, local.date()) is None
    assert local.time() < given_calendar.closes
    # Where a clock change skips the opening hour, the day opens with the change.
    assert local.time() >= given_calendar.opens
    assert next_open(opening.at, given_calendar).at == opening.at


@given(calendars, moments, st.floats(0, 1))
def test_no_open_moment_is_passed_over(given_calendar, moment, share):
    opening = next_open(moment, given_calendar)
    between = moment + (opening.at - moment) * share
    if between < opening.at:
        assert next_open(between, given_calendar).at == opening.at


@given(st.sampled_from(ZONES), st.dates(date(2026, 1, 1), date(2032, 1, 1)), st.times())
def test_a_local_time_that_exists_is_that_time(zone, day, at):
    instant = local_instant(day, at, ZoneInfo(zone))
    back = instant.astimezone(ZoneInfo(zone))
    assert back.tzinfo
    if (back.date(), back.time()) != (day, at):  # it was skipped: the second before is another offset
        assert back.utcoffset() != (instant - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).utcoffset()
