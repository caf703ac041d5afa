"""Holds and orders at the stand-in, on the wire."""

from local.supplier.catalogue import stone_id
from local.supplier.faults import Fault, FaultName, FaultSettings

HOLD = "mutation ($stone: ID!) { create_hold(ProductId: $stone, ProductType: Diamond) { id denied until } }"
CANCEL = "mutation ($hold: ID!) { cancel_hold(hold_id: $hold) { id denied until } }"
ORDER = "mutation ($items: [OrderItemInput!]!) { create_order(items: $items) }"


def free(client) -> list[int]:
    """Numbers of stones that are available."""
    catalogue = client.supplier.catalogue
    rows = catalogue.rows(range(50))
    return [row.n for row in rows if catalogue.stones[row.source].availability == "AVAILABLE"]


async def look(client, n):
    page = await client.page(ids=[stone_id(n)], fields="id diamond { availability HoldId updatedAt }")
    return page["items"][0]["diamond"]


async def test_a_hold_shows_until_it_is_cancelled(connect):
    async with connect() as client:
        n, *_ = free(client)
        before = await look(client, n)
        hold = (await client.ask(HOLD, stone=stone_id(n)))["create_hold"]
        assert (hold["denied"], bool(hold["until"])) == (False, True)
        held = await look(client, n)
        assert (held["availability"], held["HoldId"]) == ("ON_HOLD", hold["id"])
        assert held["updatedAt"] > before["updatedAt"]
        again = (await client.ask(HOLD, stone=stone_id(n)))["create_hold"]
        assert again == {"id": None, "denied": True, "until": None}
        await client.ask(CANCEL, hold=hold["id"])
        assert (await look(client, n))["availability"] == "AVAILABLE"


async def test_a_stone_is_ordered_once_and_keeps_our_number(connect):
    async with connect() as client:
        n, *_ = free(client)
        items = [{"offerId": f"DIAMOND/{stone_id(n)}", "customer_order_number": "mf-1"}]
        order = (await client.ask(ORDER, items=items))["create_order"]
        assert (await look(client, n))["availability"] == "SOLD"
        (made,) = client.supplier.nivoda.orders.orders
        assert (made.id, made.number) == (order, "mf-1")
        refused = (await client.post(ORDER, items=items)).json()
        assert refused["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_what_we_hold_can_be_ordered_and_what_others_hold_can_not(connect):
    async with connect() as client:
        n, *_ = free(client)
        await client.ask(HOLD, stone=stone_id(n))
        await client.ask(ORDER, items=[{"offerId": f"DIAMOND/{stone_id(n)}"}])
        catalogue = client.supplier.catalogue
        listed = [catalogue.stones[row.source].availability for row in catalogue.rows(range(600))]
        others = listed.index("ON_HOLD")
        answer = (await client.post(ORDER, items=[{"offerId": f"DIAMOND/{stone_id(others)}"}])).json()
        assert answer["errors"][0]["message"] == "Diamond is not available"


async def test_a_lost_answer_is_of_something_that_was_done(connect):
    async with connect() as client:
        n, *_ = free(client)
        client.supplier.faults.set(FaultSettings(faults={FaultName.LOST_ANSWER: Fault(probability=1)}))
        assert (await client.post(HOLD, stone=stone_id(n))).status_code == 502
        client.supplier.faults.set(FaultSettings())
        assert (await look(client, n))["availability"] == "ON_HOLD"
        report = (await client.http.get("/_control/orders")).json()
        assert [hold["stone"] for hold in report["holds"]] == [n]


async def test_a_mutation_needs_a_session(connect):
    async with connect() as client:
        client.supplier.nivoda.expire_sessions()
        answer = (await client.post(HOLD, stone=stone_id(1))).json()
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
