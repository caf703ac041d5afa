import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.host.core.errors import ConfigurationError
from local.host.core.functions import RetryPolicy
from local.host.settings.values import parse_retry, parse_timespan


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:10:00", 600),
        ("10:00", 36000),
        ("1.00:00:00", 86400),
        ("00:00:00.5", 0.5),
        ("23:59:59", 86399),
        ("2", 172800),
        ("00:00:01.0000001", 1.0000001),
        ("24:00:00", 24 * 86400),
        ("25:10:30", 25 * 86400 + 10 * 3600 + 30 * 60),
        ("25:30:00", None),
        ("100:00:00", 100 * 86400),
        ("25:00", None),
        ("25:00:00.5", None),
        ("00:60:00", None),
        ("00:00:60", None),
        ("soon", None),
        ("", None),
    ],
)
def test_timespans(text, seconds):
    assert parse_timespan(text) == seconds


def test_hours_that_are_days_for_dotnet_are_told_of(host_logs):
    parse_timespan("26:05:00")
    assert "'26:05:00' is 26 days, 05 hours and 00 minutes, as .NET reads it" in host_logs.text
    assert "write 1.02:05:00." in host_logs.text


@given(st.integers(0, 300), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_timespans_add_up(days, hours, minutes, seconds):
    text = f"{days}.{hours:02}:{minutes:02}:{seconds:02}"
    assert parse_timespan(text) == ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def test_retry_policies():
    fixed = {"strategy": "fixed_delay", "max_retry_count": "3", "delay_interval": "00:00:05"}
    assert parse_retry(fixed) == RetryPolicy(3, fixed_delay=5)
    exponential = {
        "strategy": "exponential_backoff",
        "max_retry_count": -1,
        "minimum_interval": "00:00:01",
        "maximum_interval": "00:01:00",
    }
    assert parse_retry(exponential) == RetryPolicy(-1, minimum_delay=1, maximum_delay=60)
    in_host_json = {"strategy": "fixedDelay", "maxretrycount": 3, "delayinterval": "00:00:05"}
    assert parse_retry(in_host_json) == RetryPolicy(3, fixed_delay=5)
    assert parse_retry({**in_host_json, "delayinterval": "1.00:00:05"}) == RetryPolicy(3, fixed_delay=86405)
    for wrong in (
        {"max_retry_count": "few"},
        {**fixed, "delay_interval": "a while"},
        {**fixed, "strategy": "fixedDelay"},
        {**fixed, "delay_interval": "1.00:00:05"},
        {**fixed, "delay_interval": "00:00:00.5"},
        {**exponential, "maximum_interval": "24:00:00"},
    ):
        with pytest.raises(ConfigurationError, match="Retry policy: "):
            parse_retry(wrong)
