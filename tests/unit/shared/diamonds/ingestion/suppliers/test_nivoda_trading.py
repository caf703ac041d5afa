"""What Nivoda's answers to holds and orders come to: done, not done, or nobody knows."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from shared.diamonds.ingestion.mapping import PriceUnit
from shared.diamonds.ingestion.suppliers.nivoda_trading import NOT_DONE, NivodaTrading
from shared.diamonds.ingestion.suppliers.trading import OutcomeUnknown
from shared.platform.errors import ManifoldError, TerminalError, TransientError
from tests.present import present


def trading(answer, asked=None, unit: PriceUnit = "cents", destination=""):
    async def ask(query, variables, _max_wait_seconds):
        if asked is not None:
            asked.append((query, variables))
        if isinstance(answer, Exception):
            raise answer
        return answer

    return NivodaTrading(ask, unit, destination)


CALLS = {
    "hold": lambda there: there.hold("s1"),
    "end": lambda there: there.end_hold("h1"),
    "order": lambda there: there.order("DIAMOND/s1", number="MF-1", comment=""),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("code", sorted(NOT_DONE))
async def test_an_error_before_anything_was_done_is_raised_as_it_is(call, code):
    for kind in (TransientError, TerminalError):
        with pytest.raises(kind) as raised:
            await call(trading(kind("no", code=code)))
        assert raised.value.code == code


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "code",
    [
        "supplier-unavailable",
        "supplier-error",
        "supplier-malformed",
        "supplier-answer-too-large",
        "postgres-unavailable",
    ],
)
async def test_after_any_other_it_may_have_been_done(call, code):
    for kind in (TransientError, TerminalError):
        with pytest.raises(OutcomeUnknown):
            await call(trading(kind("lost", code=code)))


@pytest.mark.parametrize(
    "answer", [{}, {"create_hold": None}, {"create_hold": {"denied": False, "id": ""}}, {"create_hold": 7}]
)
async def test_a_hold_without_an_id_is_unknown(answer):
    with pytest.raises(OutcomeUnknown):
        await trading(answer).hold("s1")


@pytest.mark.parametrize("answer", [{}, {"create_order": None}, {"create_order": ""}, {"create_order": {"id": "o1"}}])
async def test_an_order_without_an_id_is_unknown(answer):
    with pytest.raises(OutcomeUnknown):
        await trading(answer).order("DIAMOND/s1", number="MF-1", comment="")


@pytest.mark.parametrize(
    ("until", "known"),
    [("2026-12-01T00:00:00Z", datetime(2026, 12, 1, tzinfo=UTC)), ("2026-12-01", None), ("soon", None), (None, None)],
)
async def test_a_hold_lasts_as_long_as_the_supplier_says_if_it_does(until, known):
    held = present(await trading({"create_hold": {"id": "h1", "denied": False, "until": until}}).hold("s1"))
    assert (held.hold_id, held.until) == ("h1", known)


@pytest.mark.parametrize(
    ("code", "kind"), [("supplier-answer-too-large", TransientError), ("supplier-refused", TerminalError)]
)
async def test_a_look_that_is_too_large_is_no_answer_as_a_malformed_one(code, kind):
    with pytest.raises(kind):
        await trading(TerminalError("no", code=code)).look("s1")


async def test_a_denied_hold_is_none():
    assert await trading({"create_hold": {"id": "h1", "denied": True}}).hold("s1") is None


async def test_an_order_carries_our_number_and_what_is_given():
    asked = []
    await trading({"create_order": "o1"}, asked).order("DIAMOND/s1", number="MF-1", comment="")
    await trading({"create_order": "o1"}, asked, destination="d1").order("DIAMOND/s1", number="MF-2", comment="ring")
    plain = {"offerId": "DIAMOND/s1", "customer_order_number": "MF-1", "return_option": False}
    full = {**plain, "customer_order_number": "MF-2", "customer_comment": "ring", "destinationId": "d1"}
    assert [variables["items"] for _, variables in asked] == [[plain], [full]]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("AVAILABLE", "available"),
        ("On hold", "on_hold"),
        ("SOLD", "sold"),
        ("NOT_AVAILABLE", "unavailable"),
        (None, "available"),
    ],
)
@pytest.mark.parametrize(("unit", "price"), [("cents", Decimal("12.34")), ("dollars", Decimal("1234.00"))])
async def test_a_look_speaks_the_apps_terms_and_dollars(word, meant, unit, price):
    item = {"price": 1234, "diamond": {"id": "s1", "availability": word, "HoldId": "h1"}}
    answer = {"diamonds_by_query": {"items": [{"diamond": {"id": "s2"}}, item]}}
    now = present(await trading(answer, unit=unit).look("s1"))
    assert (now.availability, now.price, now.hold_id) == (meant, price, "h1")


@pytest.mark.parametrize(
    ("sent", "price"),
    [
        ("1234.5", Decimal("12.34")),
        (1234.5, Decimal("12.34")),
        (" 5 ", Decimal("0.05")),
        *((odd, None) for odd in (None, "", "POA", 0, -5, 0.4, True, [], {}, 10**10, 1e99, float("nan"), float("inf"))),
        *((odd, None) for odd in ("0x186A0", "100_000", "1.234", "1,234", "1e99", "9" * 30, "NaN")),
    ],
)
async def test_a_look_shows_no_price_where_the_feed_would_read_none(sent, price):
    item = {"price": sent, "diamond": {"id": "s1", "availability": "AVAILABLE"}}
    assert present(await trading({"diamonds_by_query": {"items": [item]}}).look("s1")).price == price


@pytest.mark.parametrize("items", [[], [None], [{"diamond": {"id": "s2"}}]])
async def test_a_stone_that_is_not_listed_is_not_offered(items):
    assert await trading({"diamonds_by_query": {"items": items}}).look("s1") is None


async def test_an_answer_without_a_list_says_nothing():
    with pytest.raises(ManifoldError):
        await trading({"diamonds_by_query": None}).look("s1")
