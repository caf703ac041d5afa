"""What Nivoda is asked, and what becomes of each way it can answer."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from shared.diamonds.ingestion.suppliers.client import CONNECTIONS
from shared.diamonds.runs.models import PriceRange, Window
from shared.platform.errors import TerminalError, TransientError

WINDOW = Window(
    since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 1, 2, 4, tzinfo=timezone(timedelta(hours=2)))
)
PRICES = PriceRange(minimum=100, maximum=200)
FILTER = {
    "updated": {"from": "2026-01-01T00:00:00+00:00", "to": "2026-01-02T02:00:00+00:00"},
    "dollar_value": {"from": 100, "to": 199},
}
ITEM = {"id": "DIAMOND/o1", "price": 12345, "diamond": {"id": "s1", "certificate": {"carats": 0.5}}}


def counted(number: int) -> httpx.Response:
    return httpx.Response(200, json={"data": {"diamonds_by_query_count": number}})


def paged(*items: Any) -> httpx.Response:
    return httpx.Response(200, json={"data": {"diamonds_by_query": {"items": list(items)}}})


def error(code: str | None, message: str = "no", status: int = 200) -> httpx.Response:
    extensions = {"extensions": {"code": code}} if code else {}
    return httpx.Response(status, json={"data": None, "errors": [{"message": message, **extensions}]})


async def test_a_count_asks_for_prices_and_window_with_both_ends(nivoda, script):
    script.answers = [counted(7)]
    assert await nivoda.count(PRICES, WINDOW) == 7
    assert script.asked[0]["variables"] == {"query": FILTER}
    assert script.requests[0].headers["Authorization"] == "Bearer t1"


async def test_a_count_of_all_prices_still_asks_for_the_window(nivoda, script):
    script.answers = [counted(7)]
    await nivoda.count(None, WINDOW)
    assert script.asked[0]["variables"] == {"query": {"updated": FILTER["updated"]}}


async def test_a_page_asks_for_the_same_diamonds_as_the_count_in_a_stable_order(nivoda, script):
    script.answers = [paged(ITEM)]
    (stone,) = await nivoda.page(PRICES, WINDOW, 100, 50)
    assert script.asked[0]["variables"] == {
        "query": FILTER,
        "offset": 100,
        "limit": 50,
        "order": {"type": "createdAt", "direction": "ASC"},
    }
    assert (stone.supplier_stone_id, stone.offer_id, stone.source_updated_at) == ("s1", "DIAMOND/o1", None)
    assert stone.payload == ITEM


async def test_a_short_or_empty_page_is_given_as_it_is(nivoda, script):
    script.answers = [paged(ITEM), paged()]
    assert len(await nivoda.page(PRICES, WINDOW, 0, 50)) == 1
    assert await nivoda.page(PRICES, WINDOW, 1, 50) == []


async def test_every_request_waits_for_its_turn(nivoda, script, limit):
    script.answers = [counted(1), httpx.Response(500), counted(1)]
    await nivoda.count(PRICES, WINDOW)
    await nivoda.count(PRICES, WINDOW)
    assert limit.turns == 4  # one of them to authenticate


class TestToken:
    async def test_it_is_kept_and_renewed_before_six_hours(self, nivoda, script, clock):
        script.answers = [counted(1), counted(1), counted(1)]
        await nivoda.count(PRICES, WINDOW)
        clock.now += 5.4 * 3600
        await nivoda.count(PRICES, WINDOW)
        assert script.tokens == 1
        clock.now += 0.2 * 3600
        await nivoda.count(PRICES, WINDOW)
        assert script.tokens == 2
        assert script.requests[-1].headers["Authorization"] == "Bearer t2"

    @pytest.mark.parametrize("refusal", [httpx.Response(401), error("UNAUTHENTICATED")], ids=["401", "errors"])
    async def test_a_refused_one_is_renewed_at_once(self, nivoda, script, clock, refusal):
        script.answers = [refusal, counted(3)]
        assert await nivoda.count(PRICES, WINDOW) == 3
        assert script.tokens == 2
        assert clock.slept == []

    async def test_one_that_is_refused_again_is_tried_later(self, nivoda, script, clock):
        script.answers = [httpx.Response(401), httpx.Response(401), counted(3)]
        assert await nivoda.count(PRICES, WINDOW) == 3
        assert len(clock.slept) == 1

    async def test_many_that_need_one_ask_for_it_once(self, nivoda, script):
        def answer(_: Any) -> httpx.Response:
            last = script.requests[-1].headers["Authorization"]
            return httpx.Response(401) if last == "Bearer t1" else counted(1)

        script.answers = [answer] * 60
        await asyncio.gather(*(nivoda.count(PRICES, WINDOW) for _ in range(20)))
        assert script.tokens == 2

    @pytest.mark.parametrize(
        "refusal", [httpx.Response(401), error("UNAUTHENTICATED", "Invalid")], ids=["401", "errors"]
    )
    async def test_wrong_credentials_are_terminal_and_name_the_settings(self, nivoda, script, clock, refusal):
        script.logins = [refusal]
        with pytest.raises(TerminalError, match="NIVODA_PASSWORD") as raised:
            await nivoda.count(PRICES, WINDOW)
        assert raised.value.code == "supplier-credentials"
        assert clock.slept == []


class TestFaults:
    @pytest.mark.parametrize(
        "fault",
        [
            httpx.Response(500),
            httpx.Response(503),
            httpx.Response(408),
            httpx.ReadTimeout("slow"),
            TimeoutError("dripping"),
            httpx.ConnectError("refused"),
            httpx.RemoteProtocolError("cut off"),
            error("INTERNAL_SERVER_ERROR"),
            error(None),
            httpx.Response(200, json={"errors": "nonsense"}),
            httpx.Response(200, text="<html>"),
            httpx.Response(200, json=[]),
            httpx.Response(200, json={"data": None}),
            httpx.Response(200, json={"data": {"diamonds_by_query_count": "many"}}),
        ],
        ids=str,
    )
    async def test_what_may_pass_is_tried_again_after_growing_delays(self, nivoda, script, clock, fault):
        script.answers = [fault, fault, fault, counted(5)]
        assert await nivoda.count(PRICES, WINDOW) == 5
        assert clock.slept == [0.5, 1, 2]

    async def test_what_does_not_pass_is_given_up_within_the_budget(self, nivoda, script, clock):
        script.answers = [httpx.Response(500)] * 100
        started = clock.now
        with pytest.raises(TransientError, match="answered 500") as raised:
            await nivoda.count(PRICES, WINDOW)
        assert raised.value.code == "supplier-unavailable"
        assert 60 < clock.now - started <= 90
        assert max(clock.slept) == 20

    async def test_a_server_that_names_a_time_is_given_it(self, nivoda, script, clock):
        script.answers = [httpx.Response(503, headers={"Retry-After": "7"}), counted(5)]
        await nivoda.count(PRICES, WINDOW)
        assert clock.slept == [7]

    @pytest.mark.parametrize(
        "fault",
        [
            error("GRAPHQL_VALIDATION_FAILED"),
            error("BAD_USER_INPUT"),
            error("GRAPHQL_PARSE_FAILED", status=400),
            httpx.Response(404),
        ],
        ids=str,
    )
    async def test_what_cannot_pass_is_not_tried_again(self, nivoda, script, clock, fault):
        script.answers = [fault]
        with pytest.raises(TerminalError) as raised:
            await nivoda.count(PRICES, WINDOW)
        assert raised.value.code == "supplier-refused"
        assert raised.value.remedy
        assert clock.slept == []

    @pytest.mark.parametrize("item", [{**ITEM, "diamond": None}, {**ITEM, "diamond": {"id": 7}}, {}])
    async def test_an_item_without_an_id_is_handed_on_to_be_counted(self, nivoda, script, item):
        script.answers = [paged(ITEM, item)]
        [_, stone] = await nivoda.page(PRICES, WINDOW, 0, 50)
        assert stone.supplier_stone_id == ""
        assert stone.payload == item

    @pytest.mark.parametrize("odd", [None, "text", 7, []])
    async def test_an_item_that_is_no_object_is_one_stone_without_an_id(self, nivoda, script, odd):
        script.answers = [paged(ITEM, odd, ITEM, odd)]
        stones = await nivoda.page(PRICES, WINDOW, 0, 50)
        assert [bool(one.supplier_stone_id) for one in stones] == [True, False, True, False]
        assert [one.payload for one in stones[1::2]] == [{"unreadable": odd, "at": 1}, {"unreadable": odd, "at": 3}]

    @pytest.mark.parametrize("count", [-1, 3_000_000_000, True])
    async def test_a_count_that_cannot_be_one_is_refused(self, nivoda, script, count):
        script.answers = [counted(count)] * 100
        with pytest.raises(TransientError, match=f"a count of {count} diamonds"):
            await nivoda.count(PRICES, WINDOW)

    async def test_an_answer_without_items_is_named(self, nivoda, script):
        script.answers = [httpx.Response(200, json={"data": {"diamonds_by_query": {}}})] * 100
        with pytest.raises(TransientError, match=r"diamonds_by_query\.items"):
            await nivoda.page(PRICES, WINDOW, 0, 50)


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


class TestCheck:
    async def test_it_asks_for_next_to_nothing(self, nivoda, script):
        script.answers = [counted(0)]
        await nivoda.check()
        assert script.asked[0]["variables"]["query"]["dollar_value"] == {"from": 0, "to": 0}

    async def test_it_does_not_insist(self, nivoda, script, clock):
        script.answers = [httpx.Response(500)] * 100
        started = clock.now
        with pytest.raises(TransientError):
            await nivoda.check()
        assert clock.now - started <= 5


class TestSecrets:
    async def test_a_server_that_quotes_the_password_is_not_quoted(self, nivoda, script):
        script.logins = [error("BAD_USER_INPUT", 'Variable "$password" got "correct horse"')]
        with pytest.raises(TerminalError) as raised:
            await nivoda.count(PRICES, WINDOW)
        assert "correct horse" not in str(raised.value)
        assert "***" in raised.value.message

    async def test_no_password_in_a_refusal_of_another_kind(self, nivoda, script):
        script.logins = [httpx.Response(400, text="bad: correct horse")]
        with pytest.raises(TerminalError) as raised:
            await nivoda.count(PRICES, WINDOW)
        assert "correct horse" not in str(raised.value)

    async def test_nothing_secret_is_logged_or_shown(self, nivoda, script, caplog):
        caplog.set_level(logging.DEBUG)
        script.answers = [httpx.Response(401), httpx.Response(500), counted(1)]
        await nivoda.count(PRICES, WINDOW)
        assert "correct horse" not in caplog.text
        assert "Bearer" not in caplog.text
        assert "correct horse" not in repr(nivoda._account)


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


@pytest.mark.parametrize(
    "said",
    [
        "Bearer t1", '{"authorization": "Bearer t1"}', '{"password": "correct horse"}', "password=correct%20horse",
        "correct+horse", "Y29ycmVjdCBob3JzZQ==", r"correct\u0020horse correct horse",
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 400])
async def test_what_a_server_quotes_of_a_request_shows_no_secret(nivoda, script, said, status):
    errors = {"errors": [{"message": said, "extensions": {"code": "BAD_USER_INPUT"}}]}
    script.answers = [httpx.Response(status, json=errors)] * 3
    with pytest.raises(TerminalError) as refused:
        await nivoda.count(PRICES, WINDOW)
    for secret in ("correct horse", "correct%20horse", "correct+horse", "Y29ycmVjdCBob3JzZQ", "Bearer t1"):
        assert secret not in str(refused.value)


async def test_what_a_server_quotes_in_the_code_of_an_error_shows_no_secret(nivoda, script):
    codes = ["BAD_USER_INPUT", "t1", "correct horse", "NEW_CODE"]
    errors = {"errors": [{"message": "x", "extensions": {"code": code}} for code in codes]}
    script.answers = [httpx.Response(200, json=errors)]
    with pytest.raises(TerminalError, match=r"refused a query \(BAD_USER_INPUT\): x; x; x; x"):
        await nivoda.count(PRICES, WINDOW)
