"""The pace without a limit, and what Retry-After says."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shared.platform.calls.rate_limit import rate_limit, retry_after
from shared.platform.errors import TransientError


async def test_no_limit_lets_everything_pass_without_a_database():
    await asyncio.wait_for(asyncio.gather(*(rate_limit("vendor", 0).turn(1) for _ in range(1_000))), 10)


async def test_no_limit_still_obeys_a_pause(monkeypatch):
    clock = [100.0]

    async def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr("shared.platform.calls.rate_limit.monotonic", lambda: clock[0])
    monkeypatch.setattr("shared.platform.calls.rate_limit.asyncio.sleep", sleep)
    await rate_limit("vendor", 0).pause(5)
    await rate_limit("vendor", 0).pause(2)
    await rate_limit("vendor", 0).turn(10)
    assert clock == [105.0]
    await rate_limit("vendor", 0).pause(20)
    with pytest.raises(TransientError) as raised:
        await rate_limit("vendor", 0).turn(10)
    assert (raised.value.code, raised.value.retry_after) == ("account-paused", 20)


async def test_an_account_has_one_pace_in_a_process():
    assert rate_limit("vendor", 25) is rate_limit("vendor", 25)
    assert rate_limit("vendor", 25) is not rate_limit("other", 25)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("7.5", 7.5),
        (None, None),
        ("", None),
        ("soon", None),
        ("1.2.3", None),
        (".", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after_in_seconds(value, seconds):
    assert retry_after(value) == seconds


@pytest.mark.parametrize("value", ["86400", "9" * 400, format_datetime(datetime(2999, 1, 1, tzinfo=UTC))])
def test_nobody_is_made_to_wait_for_more_than_an_hour(value):
    assert retry_after(value) == 3_600


def test_retry_after_as_a_date():
    assert retry_after(format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)) == 0
    seconds = retry_after(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    assert seconds
    assert 3_500 < seconds <= 3_600
