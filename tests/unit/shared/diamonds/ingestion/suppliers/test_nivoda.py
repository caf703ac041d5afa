"""What Nivoda is asked, and what becomes of each way it can answer."""

import httpx
import pytest

from shared.platform.errors import TerminalError, TransientError
from tests.unit.shared.diamonds.ingestion.suppliers.conftest import PRICES, WINDOW, counted, error, paged

FILTER = {
    "updated": {"from": "2026-01-01T00:00:00+00:00", "to": "2026-01-02T02:00:00+00:00"},
    "dollar_value": {"from": 100, "to": 199},
}
ITEM = {"id": "DIAMOND/o1", "price": 12345, "diamond": {"id": "s1", "certificate": {"carats": 0.5}}}


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
