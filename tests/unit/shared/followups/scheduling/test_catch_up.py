"""What becomes of steps that are late: one is sent, the others are moved or skipped."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.followups.scheduling.catch_up import DueStep, Move, Policy, Send, Skip, catch_up
from tests.unit.shared.followups.scheduling.calendars import (
    EVERY_DAY,
    calendar,
    calendars,
    moments,
    utc,
)

POLICY = Policy(gap=timedelta(hours=24), lateness=timedelta(days=3))


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
