"""A client sends so many requests a minute over all instances together, and others are not touched by it."""

import asyncio

import pytest

from shared.platform.access import client_quota
from shared.platform.access.client_quota import take
from shared.platform.errors import RateLimited
from shared.platform.stores.postgres import database


def other_instance():
    """What another host instance would remember: nothing."""
    client_quota._empty_until.clear()


async def back_in_time(seconds):
    async with database() as db:
        await db.execute("update platform.client_quotas set full_at = full_at - %s * interval '1 second'", (seconds,))
    other_instance()


async def passed(count, client="acme", per_minute=10):
    found = await asyncio.gather(*(take(client, per_minute) for _ in range(count)), return_exceptions=True)
    assert all(isinstance(one, dict | RateLimited) for one in found), found
    return sum(isinstance(one, dict) for one in found)


async def test_of_many_requests_at_once_the_quota_passes(migrated):
    assert await passed(30) == 10


async def test_the_quota_is_that_of_all_instances_together(migrated):
    assert await passed(6) == 6
    other_instance()
    assert await passed(6) == 4
    other_instance()
    assert await passed(6) == 0


async def test_a_client_does_not_use_up_what_is_anothers(migrated):
    assert await passed(20) == 10
    assert await passed(1, client="other") == 1


async def test_the_bucket_fills_evenly_and_no_higher_than_a_minute(migrated):
    await passed(20)
    await back_in_time(13)
    assert await passed(10) == 2
    await back_in_time(3_600)
    assert await passed(30) == 10


async def test_a_refusal_says_when_to_come_back(migrated):
    await passed(10)
    with pytest.raises(RateLimited) as refused:
        await take("acme", 10)
    assert 0 < refused.value.retry_after <= 6
    assert refused.value.headers["RateLimit"].startswith('"client";r=0;t=')
    await back_in_time(refused.value.retry_after + 0.1)
    assert (await take("acme", 10))["RateLimit"].startswith('"client";r=0;t=')


async def test_a_client_that_goes_on_asking_costs_the_database_nothing(migrated, monkeypatch):
    await passed(11)

    def unused():
        raise AssertionError("the database was asked")

    monkeypatch.setattr(client_quota, "database", unused)
    assert await passed(20) == 0


async def test_no_limit_needs_no_database(monkeypatch):
    monkeypatch.setattr(client_quota, "database", None)
    assert await take("acme", 0) == {}


async def test_what_is_left_is_told(migrated):
    left = [(await take("acme", 10))["RateLimit"].split(";")[1] for _ in range(3)]
    assert left == ["r=9", "r=8", "r=7"]
