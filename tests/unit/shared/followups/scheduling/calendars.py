"""Calendars and moments, some of them drawn by Hypothesis."""

from datetime import UTC, datetime, time, timedelta

from hypothesis import strategies as st

from shared.followups.scheduling.calendar import Calendar

EVERY_DAY = tuple(range(1, 8))


NEW_YORK, AMSTERDAM = "America/New_York", "Europe/Amsterdam"


ZONES = (NEW_YORK, AMSTERDAM, "UTC", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Apia")


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
