from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.timers.schedules import ScheduleInvalid, parse_schedule

BERLIN = ZoneInfo("Europe/Berlin")


def runs(text, start, count, zone: tzinfo = UTC):
    schedule = parse_schedule(text, zone)
    found = []
    for _ in range(count):
        start = schedule.next_after(start)
        found.append(start)
    return found


def local(text, start, count, zone: tzinfo = BERLIN):
    return [moment.astimezone(zone).strftime("%m-%d %H:%M:%S %z") for moment in runs(text, start, count, zone)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 */5 * * * *", ["01-01 08:05:00", "01-01 08:10:00"]),
        ("*/5 * * * *", ["01-01 08:05:00", "01-01 08:10:00"]),
        ("30 9 * * 1-5", ["01-01 09:30:00", "01-02 09:30:00"]),
        ("0 0 2 * * *", ["01-02 02:00:00", "01-03 02:00:00"]),
        ("5/20 * * * * *", ["01-01 08:00:25", "01-01 08:00:45"]),
        ("0 0 12 1 jan,JUL *", ["01-01 12:00:00", "07-01 12:00:00"]),
        ("0 0 9 * * MON-Friday", ["01-01 09:00:00", "01-02 09:00:00"]),
        ("0 0 9 13 * FRI", ["02-13 09:00:00", "03-13 09:00:00"]),
        ("0 15,45 8-9 * * *", ["01-01 08:15:00", "01-01 08:45:00"]),
        ("00:00:30", ["01-01 08:00:37", "01-01 08:01:07"]),
        ("25:00:00", ["01-26 08:00:07", "02-20 08:00:07"]),
        ("5-1 0 * * * *", ["01-01 09:00:01", "01-01 09:00:02"]),
        ("0 0 9 * * FRI-MON", ["01-01 09:00:00", "01-02 09:00:00"]),
        ("1.00:00:00", ["01-02 08:00:07", "01-03 08:00:07"]),
    ],
)
def test_next_times(text, expected):
    found = runs(text, datetime(2026, 1, 1, 8, 0, 7, tzinfo=UTC), 2)
    assert [moment.strftime("%m-%d %H:%M:%S") for moment in found] == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "every minute",
        "* * * *",
        "* * * * * * *",
        "60 * * * * *",
        "* * 24 * * *",
        "0 0 0 0 * *",
        "0 0 0 * 13 *",
        "0 0 0 * * 7",
        "@hourly",
        "0 0 0 L * *",
        "0 0 0 * * 5#2",
        "*/0 * * * * *",
        "0 0 0 * ja *",
        "-1 * * * * *",
    ],
)
def test_what_the_timer_extension_does_not_recognise_is_refused(text):
    with pytest.raises(ScheduleInvalid, match="was not recognized as a valid cron expression or timespan string"):
        parse_schedule(text, UTC)


def test_a_range_that_runs_backwards_is_told_of(host_logs):
    parse_schedule("0 0 0 * * SAT-MON", UTC)
    assert (
        "The range 'sat-mon' of a schedule's field 'weekday' runs backwards: as in Azure it means 1-6."
        in host_logs.text
    )


def test_a_fixed_time_runs_once_when_clocks_go_back():
    start = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    assert local("0 30 2 * * *", start, 3) == ["10-25 02:30:00 +0200", "10-26 02:30:00 +0100", "10-27 02:30:00 +0100"]


def test_intervals_run_in_both_hours_when_clocks_go_back():
    start = datetime(2026, 10, 24, 23, 45, tzinfo=UTC)
    assert local("0 */30 * * * *", start, 6) == [
        "10-25 02:00:00 +0200", "10-25 02:30:00 +0200", "10-25 02:00:00 +0100", "10-25 02:30:00 +0100",
        "10-25 03:00:00 +0100", "10-25 03:30:00 +0100",
    ]  # fmt: skip
    assert local("0 0 * * * *", datetime(2026, 10, 24, 23, 45, tzinfo=UTC), 3) == [
        "10-25 02:00:00 +0200", "10-25 02:00:00 +0100", "10-25 03:00:00 +0100",
    ]  # fmt: skip


def test_intervals_skip_the_hour_that_is_not_there_when_clocks_go_forward():
    start = datetime(2026, 3, 29, 0, 20, tzinfo=UTC)
    found = local("0 */30 * * * *", start, 3)
    assert found == ["03-29 01:30:00 +0100", "03-29 03:00:00 +0200", "03-29 03:30:00 +0200"]


def test_a_fixed_time_in_the_hour_that_is_not_there_still_runs_that_day():
    start = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert [one[:5] for one in local("0 30 2 * * *", start, 3)] == ["03-29", "03-30", "03-31"]


fields = st.tuples(
    st.sampled_from(["0", "*/7", "30", "10,50", "5-20/5"]),
    st.sampled_from(["*", "0", "*/11", "15,45", "1/13"]),
    st.sampled_from(["*", "2", "*/5", "0-6", "3,14"]),
    st.sampled_from(["*", "1", "*/9", "10-20"]),
    st.sampled_from(["*", "2", "3-11/4"]),
    st.sampled_from(["*", "1-5", "0", "MON"]),
).map(" ".join)
moments = st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - naive bounds


@given(fields, moments, st.sampled_from([UTC, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")]))
def test_times_always_go_on(text, start, zone):
    found = [start, *runs(text, start, 4, zone)]
    assert all(before < after for before, after in pairwise(found))


@given(moments, st.integers(1, 59))
def test_every_n_minutes_never_leaves_a_gap_of_more_than_an_hour(start, minutes):
    found = [start, *runs(f"0 */{minutes} * * * *", start, 6, BERLIN)]
    assert all(after - before <= timedelta(hours=1) for before, after in pairwise(found))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("*/30 * * * * *", True), ("0 * * * * *", False), ("00:00:10", True), ("0,30 0 0 * * *", True)],
)
def test_schedules_under_a_minute_are_known(text, expected):
    assert parse_schedule(text, UTC).is_sub_minute is expected
