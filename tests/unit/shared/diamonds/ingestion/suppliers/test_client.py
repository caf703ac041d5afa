"""The account's pace, the connections, and what an answer may be at most."""

import asyncio
import gzip

import httpx
import pytest

from local.supplier.testing import session_on
from shared.diamonds.ingestion.suppliers import client as clients
from shared.diamonds.ingestion.suppliers.client import CONNECTIONS, Client
from shared.platform.errors import TerminalError, TransientError
from tests.unit.shared.diamonds.ingestion.suppliers.conftest import PRICES, WINDOW, counted, error


class TestThrottling:
    async def test_retry_after_holds_the_whole_account(self, nivoda, script, clock, limit):
        script.answers = [httpx.Response(429, headers={"Retry-After": "4"}), counted(5)]
        started = clock.now
        assert await nivoda.count(PRICES, WINDOW) == 5
        assert limit.pauses == [4]
        assert clock.now - started == 4  # waited for its turn, not once more on its own

    async def test_without_retry_after_the_account_rests_for_growing_delays(self, nivoda, script, limit):
        script.answers = [httpx.Response(429), error("TOO_MANY_REQUESTS"), counted(5)]
        await nivoda.count(PRICES, WINDOW)
        assert limit.pauses == [0.5, 1]

    async def test_a_rest_beyond_the_budget_is_left_to_the_orchestration(self, nivoda, script, clock, limit):
        script.answers = [httpx.Response(429, headers={"Retry-After": "600"})]
        started = clock.now
        with pytest.raises(TransientError) as raised:
            await nivoda.count(PRICES, WINDOW)
        assert raised.value.retry_after == 600
        assert limit.pauses == [600]
        assert clock.now == started

    async def test_an_account_that_others_paused_is_waited_for_or_given_up(self, nivoda, script, clock, limit):
        script.answers = [counted(1)]
        limit.resume_at = clock.now + 80
        assert await nivoda.count(PRICES, WINDOW) == 1
        limit.resume_at = clock.now + 100
        with pytest.raises(TransientError) as raised:
            await nivoda.count(PRICES, WINDOW)
        assert raised.value.retry_after == 100


async def test_connections_are_bounded_and_waited_for_before_the_turn(nivoda, script, limit):
    script.answers = [counted(1)] * 200
    await nivoda.count(PRICES, WINDOW)
    inside = most = 0
    free = asyncio.Event()

    async def turn(_: float) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        if inside == CONNECTIONS:
            free.set()
        await free.wait()
        inside -= 1

    limit.turn = turn
    await asyncio.gather(*(nivoda.count(PRICES, WINDOW) for _ in range(150)))
    assert most == CONNECTIONS


async def received(limit, response):
    async with Client("acme", limit, 30, session=lambda: session_on(httpx.MockTransport(lambda _: response))) as client:
        return await client.get("https://a.test", 5, headers={}, params={})


async def test_an_answer_is_bounded_once_it_is_unpacked(limit, monkeypatch):
    monkeypatch.setattr(clients, "MOST_BYTES", 100_000)
    packed = gzip.compress(b" " * 40_000_000)
    assert len(packed) < 40_000
    with pytest.raises(TerminalError) as refused:
        await received(limit, httpx.Response(200, content=packed, headers={"Content-Encoding": "gzip"}))
    assert refused.value.code == "supplier-answer-too-large"
    small = httpx.Response(200, content=gzip.compress(b"[1]"), headers={"Content-Encoding": "gzip"})
    assert (await received(limit, small)).json() == [1]


async def test_an_answer_that_is_packed_twice_is_refused(limit):
    content = gzip.compress(gzip.compress(b"[1]"))
    with pytest.raises(TerminalError, match="packed in a way"):
        await received(limit, httpx.Response(200, content=content, headers={"Content-Encoding": "gzip, gzip"}))
