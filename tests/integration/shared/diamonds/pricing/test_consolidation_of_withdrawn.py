"""What lost its price is not for sale, and another diamond under a known id is a new offer."""

import pytest

from shared.diamonds.ingestion.mapping import NIVODA
from shared.diamonds.ingestion.pages import copy_pages
from shared.diamonds.offer import trade
from shared.diamonds.pricing.consolidation import consolidate
from shared.diamonds.pricing.models import ConsolidateRows
from shared.diamonds.runs import lifecycle
from shared.diamonds.runs.models import RunStatus
from shared.platform.errors import Conflict, NotFound

BUY = trade.PurchaseRequest(expected_price=None, reference=None)


@pytest.fixture(autouse=True)
def _database(migrated):
    """All of these need one."""


@pytest.fixture
def night(diamonds):
    async def night(*stones):
        """A whole run that reads and consolidates these."""
        run = await diamonds.begin(0, 2**31 - 1)

        class Listing(diamonds.Shop):
            def _in(self, prices):
                return list(self.stones.values())

        await copy_pages(Listing(stones=dict(enumerate(stones))), run.task())
        task = ConsolidateRows(run_id=run.plan.run_id, feed="nivoda", worker="w", seconds=60)
        answer = await consolidate(task, NIVODA, "cents")
        assert answer.finished
        await lifecycle.finish_run(run.plan.run_id, RunStatus.COMPLETED)
        return answer

    return night


@pytest.fixture
def offers(diamonds):
    async def offers():
        return await diamonds.fetch(
            "select id, supplier_stone_id, status, diamonds.availability_now(availability, hold_expires_at,"
            " feed_availability), certificate_number from diamonds.diamonds order by id"
        )

    return offers


def priced(diamonds, price):
    stone = diamonds.stone("s1")
    stone.payload["price"] = price
    return stone


@pytest.mark.parametrize("price", [None, "POA", "", 0, -5, "call us"])
async def test_what_lost_its_price_cannot_be_bought_until_it_has_one_again(diamonds, night, offers, price):
    await night(diamonds.stone("s1"), diamonds.stone("s2"))
    [(first, *_), (second, *_)] = await offers()
    assert (await night(priced(diamonds, price), diamonds.stone("s2"))).failed == 1
    assert [row[3] for row in await offers()] == ["unavailable", "available"]
    with pytest.raises(Conflict, match="is unavailable"):
        await trade.purchase(first, "acme", "k1", BUY)
    with pytest.raises(Conflict, match="is unavailable"):
        await trade.hold(first, "acme", trade.HoldRequest(minutes=5))
    await trade.purchase(second, "acme", "k2", BUY)
    await night(diamonds.stone("s1", price=400), diamonds.stone("s2"))
    assert [row[3] for row in await offers()] == ["available", "sold"]


async def test_a_diamond_that_cannot_be_read_any_more_is_not_for_sale_either(diamonds, night, offers):
    await night(diamonds.stone("s1"))
    await night(diamonds.stone("s1", carats="none"))
    assert [row[3] for row in await offers()] == ["unavailable"]


async def test_a_hold_lasts_until_its_time_and_then_the_loss_counts(diamonds, night, offers):
    await night(diamonds.stone("s1"))
    [(known, *_)] = await offers()
    await trade.hold(known, "acme", trade.HoldRequest(minutes=5))
    await night(priced(diamonds, None))
    assert [row[3] for row in await offers()] == ["on_hold"]
    with pytest.raises(Conflict, match="has no price now") as refused:
        await trade.purchase(known, "acme", "k1", BUY)
    assert refused.value.code == "diamond-not-available"
    asked = await trade.availability(known, "acme")
    assert (asked.held_by_caller, asked.available) == (True, False)
    assert not (await trade.release(known, "acme")).available


async def test_an_id_that_is_used_again_for_another_diamond_makes_a_new_offer(diamonds, night, offers):
    await night(diamonds.stone("s1", certNumber="A"), diamonds.stone("s2", certNumber="B"))
    [(sold, *_), _] = await offers()
    await trade.purchase(sold, "acme", "k1", BUY)
    answer = await night(diamonds.stone("s1", certNumber="C", price=900), diamonds.stone("s2", certNumber="B", price=5))
    assert (answer.done, answer.failed) == (2, 0)
    assert [row[1:] for row in await offers()] == [
        (f"s1~{sold}", "deleted", "sold", "A"),
        ("s2", "active", "available", "B"),
        ("s1", "active", "available", "C"),
    ]
    with pytest.raises(NotFound):
        await trade.availability(sold, "acme")
    assert (await trade.purchase((await offers())[2][0], "other", "k2", BUY))[0].price == pytest.approx(900 * 1.15)


GIA, IGI = {"lab": "GIA"}, {"lab": "IGI"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"certNumber": "A", **GIA}, {"certNumber": "A", **IGI}),
        ({"certNumber": "A", **GIA}, {"certNumber": "B", **GIA}),
        ({"certNumber": "A", "carats": 1}, {"certNumber": None, "carats": 3}),
        ({"certNumber": None, "carats": 1}, {"certNumber": "A", "carats": 3}),
        ({"certNumber": None, "carats": 1}, {"certNumber": "None", "carats": 3}),
        ({"certNumber": None, "shape": "ROUND"}, {"certNumber": None, "shape": "OVAL"}),
    ],
)
async def test_another_lab_or_number_or_without_one_another_weight_or_shape_is_another_diamond(
    diamonds, night, offers, before, after
):
    await night(diamonds.stone("s1", **before))
    await night(diamonds.stone("s1", **after))
    [(old, *_), _] = await offers()
    assert [row[1:3] for row in await offers()] == [(f"s1~{old}", "deleted"), ("s1", "active")]


@pytest.mark.parametrize(("before", "after"), [("n8", " N8 "), ("N8", "n8")])
async def test_a_certificate_in_another_case_is_the_same(diamonds, night, offers, before, after):
    await night(diamonds.stone("s1", certNumber=before, **GIA))
    await night(diamonds.stone("s1", certNumber=after, lab="gia", price=7))
    assert [row[4] for row in await offers()] == ["N8"]


@pytest.mark.parametrize(("before", "after"), [("A", "A"), (None, "A"), ("A", None)])
async def test_the_same_certificate_or_none_is_the_same_diamond(diamonds, night, offers, before, after):
    await night(diamonds.stone("s1", certNumber=before))
    await night(diamonds.stone("s1", certNumber=after, price=7))
    assert len(await offers()) == 1


async def test_many_ids_that_are_used_again_at_once(diamonds, night, offers, monkeypatch):
    from shared.diamonds.pricing import consolidation

    monkeypatch.setattr(consolidation, "CLAIM_ROWS", 7)
    await night(*(diamonds.stone(f"s{n:02}", certNumber="A") for n in range(30)))
    stones = [diamonds.stone(f"s{n:02}", certNumber="A" if n % 3 else "B", price=n + 1) for n in range(30)]
    assert (await night(*stones)).done == 30
    assert [row[2] for row in await offers()].count("deleted") == 10
    assert len(await offers()) == 40


async def test_a_purchase_keeps_a_picture_of_what_was_sold(diamonds, night, offers):
    await night(diamonds.stone("s1", certNumber="A", color="E"))
    [(sold, *_)] = await offers()
    await trade.purchase(sold, "acme", "k1", BUY)
    await night(diamonds.stone("s1", certNumber="A", color="K", price=9))
    [(picture,)] = await diamonds.fetch("select diamond from diamonds.purchase_history")
    assert (picture["color"], picture["certificate_number"], picture["availability"]) == ("E", "A", "available")
    assert picture["price_model_price"] == 326
