"""What Brilliant's answers come to, from a script."""

from datetime import UTC, datetime

import httpx
import pytest

from local.supplier.testing import session_on
from shared.diamonds.ingestion.models import Mark
from shared.diamonds.ingestion.suppliers.brilliant import Brilliant
from shared.diamonds.runs.models import EPOCH, PriceRange, Window
from shared.platform.calls.retry import Time
from shared.platform.errors import TerminalError, TransientError

WINDOW = Window(since=EPOCH, until=datetime(2026, 1, 1, tzinfo=UTC))
PRICES = PriceRange(minimum=100, maximum=200)
KEY = "canary-key"


def stone(**values):
    return {"sku": "ST1", "offer_ref": "OF-1", "modified": "2026-01-01T00:00:00Z", "usd_price": "150.00"} | values


@pytest.fixture
def ask(clock, limit):
    """Opens Brilliant on a script of answers; gives the adapter and the requests that it sends."""

    def ask(*answers):
        script, requests = list(answers), []

        def reply(request):
            requests.append(request)
            answer = script.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

        timing = Time(lambda: clock.now, clock.sleep, lambda: 1.0)
        adapter = Brilliant(
            "https://b.test/v1", KEY, limit, session=lambda: session_on(httpx.MockTransport(reply)), timing=timing
        )
        return adapter, requests

    return ask


async def test_a_page_is_asked_for_by_range_window_and_token(ask):
    brilliant, requests = ask(
        {"stones": [stone()], "next_page_token": "t1"}, {"stones": [stone(sku="ST2")], "next_page_token": None}
    )
    pages = brilliant.read(PRICES, WINDOW, Mark())
    assert [one.supplier_stone_id for one in await pages.next()] == ["ST1"]
    assert (pages.offset, pages.token) == (1, "t1")
    assert [one.supplier_stone_id for one in await pages.next()] == ["ST2"]
    assert await pages.next() == []
    first, second = (dict(request.url.params) for request in requests)
    assert first == {
        "min_usd": "100",
        "max_usd": "199.99",
        "modified_from": "2000-01-01T00:00:00+00:00",
        "modified_to": "2026-01-01T00:00:00+00:00",
        "page_size": "200",
    }
    assert second == first | {"page_token": "t1"}
    assert {request.headers["X-Api-Key"] for request in requests} == {KEY}


async def test_an_empty_page_that_names_a_next_one_is_not_the_end(ask):
    brilliant, _ = ask({"stones": [], "next_page_token": "t1"}, {"stones": [stone()], "next_page_token": None})
    pages = brilliant.read(None, WINDOW, Mark())
    assert (await pages.next(), pages.ended) == ([], False)
    assert (len(await pages.next()), pages.ended) == (1, True)


@pytest.mark.parametrize("end", [None, ""])
async def test_null_and_the_empty_text_end_a_list_of_pages(ask, end):
    brilliant, requests = ask({"stones": [stone()], "next_page_token": end})
    pages = brilliant.read(None, WINDOW, Mark())
    assert (len(await pages.next()), pages.ended) == (1, True)
    assert (await pages.next(), len(requests)) == ([], 1)


@pytest.mark.parametrize("tokens", [["t1", "t1"], ["t1", "t2", "t1"], ["t0"]])
async def test_a_supplier_that_goes_round_in_a_circle_is_refused_at_once(ask, tokens):
    brilliant, requests = ask(*({"stones": [stone()], "next_page_token": token} for token in tokens))
    pages = brilliant.read(None, WINDOW, Mark(next_token="t0"))
    for _ in tokens[1:]:
        await pages.next()
    with pytest.raises(TerminalError) as refused:
        await pages.next()
    assert (refused.value.code, len(requests)) == ("repeated-page-token", len(tokens))


ODD = [None, "x", 7, [], {}, {"sku": 5}, {"sku": ["s"]}, {"offer_ref": 7}]


@pytest.mark.parametrize("odd", ODD)
async def test_an_item_that_is_no_diamond_is_one_stone_without_an_id(ask, odd):
    brilliant, _ = ask({"stones": [stone(), odd, stone(sku="ST2")], "next_page_token": None})
    stones = await brilliant.read(None, WINDOW, Mark()).next()
    assert [one.supplier_stone_id for one in stones] == ["ST1", "", "ST2"]
    assert stones[1].payload == (odd if isinstance(odd, dict) else {"unreadable": odd, "at": 1})


@pytest.mark.parametrize("count", [-1, 3_000_000_000, True])
async def test_a_count_that_cannot_be_one_is_refused_with_its_value(ask, count):
    brilliant, _ = ask(*[{"count": count}] * 60)
    with pytest.raises(TransientError, match=f"a count of {count} diamonds"):
        await brilliant.count(None, WINDOW)


async def test_who_goes_on_from_the_last_page_finds_the_end(ask):
    brilliant, requests = ask({"stones": [stone()], "next_page_token": None})
    pages = brilliant.read(None, WINDOW, Mark(next_offset=40, next_token="t9"))
    assert len(await pages.next()) == 1
    assert (await pages.next(), pages.offset, pages.token) == ([], 41, "t9")
    assert requests[0].url.params["page_token"] == "t9"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"stones": {}}, "no list `stones`"),
        ({"stones": [], "next_page_token": 7}, "a `next_page_token` that is no text"),
        ({"stones": [], "next_page_token": "t" * 5000}, "a `next_page_token` of more than 4,096 characters"),
        ({"stones": [], "next_page_token": "a\0b"}, "or with NUL in it"),
        ([1], "no JSON object"),
        (httpx.Response(200, text="<html>"), "no JSON"),
    ],
)
async def test_an_answer_of_another_shape_is_tried_again_and_named(ask, answer, message):
    brilliant, _ = ask(*[answer] * 60)
    with pytest.raises(TransientError, match=message) as raised:
        await brilliant.read(None, WINDOW, Mark()).next()
    assert raised.value.code == "supplier-malformed"


async def test_a_date_that_cannot_be_read_keeps_no_stone_from_being_read(ask):
    for modified in (None, 7, "yesterday", "2026-01-01T00:00:00"):
        brilliant, _ = ask({"stones": [stone(modified=modified)], "next_page_token": None})
        (found,) = await brilliant.read(None, WINDOW, Mark()).next()
        assert found.source_updated_at is None


async def test_throttling_pauses_the_account_and_a_fault_is_tried_again(ask, limit, clock):
    brilliant, _ = ask(
        httpx.Response(429, headers={"Retry-After": "4"}), httpx.Response(500), httpx.ConnectError("x"), {"count": 5}
    )
    assert await brilliant.count(PRICES, WINDOW) == 5
    assert limit.pauses == [4]
    assert len(clock.slept) == 2


@pytest.mark.parametrize(("status", "code"), [(401, "supplier-credentials"), (403, "supplier-refused")])
async def test_a_refusal_is_final_and_shows_no_key(ask, status, code):
    brilliant, requests = ask(httpx.Response(status, text=f"no {KEY}"))
    with pytest.raises(TerminalError) as raised:
        await brilliant.count(None, WINDOW)
    assert (raised.value.code, len(requests)) == (code, 1)
    assert KEY not in str(raised.value)
