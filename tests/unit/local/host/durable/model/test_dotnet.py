"""Text as .NET writes it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.durable.model import dotnet

FIRST, LAST = datetime.fromisoformat("1970-01-01"), datetime.fromisoformat("9000-01-01")
TIMES = st.datetimes(min_value=FIRST, max_value=LAST, timezones=st.just(UTC))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(TIMES)
def test_timestamps_come_back_as_they_were(when: datetime) -> None:
    assert dotnet.parse_time(dotnet.timestamp(when)) == when


@given(TIMES)
def test_timestamps_have_no_trailing_zeros(when: datetime) -> None:
    text = dotnet.timestamp(when)
    assert text.endswith("Z")
    assert not text.endswith("0Z") or "." not in text


@given(TIMES, st.integers(0, 9))
def test_ticks_have_seven_digits_at_most_and_no_zone(when: datetime, tick: int) -> None:
    text = dotnet.ticks_text(dotnet.ticks(when) + tick)
    assert not text.endswith("Z")
    assert len(text.partition(".")[2]) <= 7
    assert dotnet.parse_time(text) == when


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [("2026-11-21T07:22:51.4102042Z", 410204), ("2026-11-21T07:22:51+00:00", 0), ("2026-11-21T07:22:51.4", 400000)],
)
def test_times_of_any_precision_are_read(text: str, microsecond: int) -> None:
    assert dotnet.parse_time(text) == datetime(2026, 11, 21, 7, 22, 51, microsecond, tzinfo=UTC)


def test_a_time_in_another_zone_is_turned_to_utc() -> None:
    assert dotnet.parse_time("2026-11-21T09:22:51.5+02:00") == datetime(2026, 11, 21, 7, 22, 51, 500000, tzinfo=UTC)


@pytest.mark.parametrize("text", ["garbage", "2026-11-21T07:22:51.Z", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        dotnet.parse_time(text)


@given(JSON)
def test_json_means_the_same_and_can_be_stored(value: Any) -> None:
    text = dotnet.to_json(value)
    assert json.loads(text) == value
    text.encode()


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    assert dotnet.to_json("\ud800") == '"\ufffd"'
    assert dotnet.to_json("\u2028é") == '"\\u2028é"'
