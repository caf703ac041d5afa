"""Clients are written to in their own working hours, whatever their clocks do."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.followups.scheduling.cadence import Step, plan
from shared.followups.scheduling.calendar import Calendar, local_instant, next_open
from shared.followups.scheduling.catch_up import DueStep, Move, Policy, Send, Skip, catch_up
from shared.followups.scheduling.holidays import holiday

EVERY_DAY = tuple(range(1, 8))
NEW_YORK, AMSTERDAM = "America/New_York", "Europe/Amsterdam"
ZONES = (NEW_YORK, AMSTERDAM, "UTC", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Apia")
POLICY = Policy(gap=timedelta(hours=24), lateness=timedelta(days=3))


def calendar(zone="UTC", days=(1, 2, 3, 4, 5), opens=time(9), closes=time(17), country=None):
    return Calendar(time_zone=zone, working_days=days, opens=opens, closes=closes, country=country)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


calendars = st.builds(
    calendar,
    st.sampled_from(ZONES),
    st.sets(st.integers(1, 7), min_size=1).map(lambda days: tuple(sorted(days))),
    st.integers(0, 11).map(time),
    st.integers(12, 23).map(time),
    st.none() | st.sampled_from(["US", "GB", "NL"]),
)
moments = st.integers(0, 6 * 365 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def test_after_the_clocks_have_changed_a_step_still_goes_out_at_nine_local_time():
    entered = datetime(2026, 10, 24, 8, tzinfo=ZoneInfo(NEW_YORK))
    step = Step(followup_type="Custom", days=15, priority="low")
    [planned] = plan([step], entered, calendar(NEW_YORK, EVERY_DAY))
    assert planned.opening.at == utc(2026, 11, 8, 14)
    assert next_open(planned.opening.at, calendar(NEW_YORK, EVERY_DAY)).at == planned.opening.at


def test_fifteen_days_after_half_past_four_it_is_half_past_four_though_the_clocks_have_changed():
    entered = utc(2026, 10, 24, 20, 30)  # as the database says it: 16:30 in New York
    step = Step(followup_type="Custom", days=15, priority="low")
    [planned] = plan([step], entered, calendar(NEW_YORK, EVERY_DAY))
    assert (planned.opening.at, planned.opening.reason) == (utc(2026, 11, 8, 21, 30), None)


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


def test_after_an_outage_one_step_is_sent_and_the_rest_keep_their_spacing():
    now = utc(2026, 11, 24, 12)
    due = [DueStep(1, now - timedelta(days=2, hours=12)), DueStep(2, now - timedelta(hours=12))]
    decided = catch_up(due, now, None, calendar(days=EVERY_DAY), POLICY)
    assert decided == [Send(1), Move(2, now + timedelta(days=2), "minimum-gap")]


def test_four_days_down_the_first_step_is_too_late_and_the_second_is_sent():
    now = utc(2026, 11, 24, 12)
    due = [DueStep(1, now - timedelta(days=3, hours=22)), DueStep(2, now - timedelta(days=1, hours=22))]
    assert catch_up(due, now, None, calendar(days=EVERY_DAY), POLICY) == [Skip(1, "too_late"), Send(2)]


def test_steps_that_are_late_together_can_be_skipped_instead():
    now = utc(2026, 11, 24, 12)
    policy = Policy(POLICY.gap, POLICY.lateness, "skip")
    due = [DueStep(1, now - timedelta(hours=2)), DueStep(2, now - timedelta(hours=1))]
    assert catch_up(due, now, None, calendar(), policy) == [Send(1), Skip(2, "catch_up")]


def test_a_mail_that_was_written_in_time_is_not_too_late():
    now = utc(2026, 11, 24, 12)
    assert catch_up([DueStep(1, now - timedelta(days=9), in_time=True)], now, None, calendar(), POLICY) == [Send(1)]


@given(
    st.lists(moments, max_size=6, unique=True),
    st.none() | moments,
    calendars,
    st.sampled_from(["shift", "skip"]),
    moments,
)
def test_of_one_client_no_two_mails_are_nearer_than_the_gap(scheduled, last, given_calendar, overdue, now):
    due = [DueStep(number, min(at, now)) for number, at in enumerate(scheduled)]
    last = min(last, now) if last else None
    policy = Policy(POLICY.gap, POLICY.lateness, overdue)
    decided = catch_up(due, now, last, given_calendar, policy)
    assert sorted(one.task_id for one in decided) == list(range(len(due)))
    times = [now if isinstance(one, Send) else one.to for one in decided if not isinstance(one, Skip)]
    contacts = [last, *times] if last else times
    assert all(after - before >= policy.gap for before, after in pairwise(contacts))
    assert sum(isinstance(one, Send) for one in decided) <= 1
