"""Nivoda's shape as the facts describe it, over the real stones."""

import pytest

from local.supplier.catalogue import DATA_SET_SIZE, Catalogue, stone_id
from local.supplier.dataset import load
from local.supplier.nivoda import TOKEN_LIFE_SECONDS

EVERYTHING = """
    id price discount markup_price
    diamond { id availability HoldId supplierStockId image video eyeClean brown green milky createdAt updatedAt
      supplier { name }
      certificate { lab certNumber shape carats color clarity cut polish symmetry floInt floCol
        length width depth depthPercentage table labgrown } }
"""


async def test_all_real_diamonds_are_on_offer(connect):
    async with connect(DATA_SET_SIZE) as client:
        assert await client.count() == 53_940
        assert await client.count(dollar_value={"from": 326, "to": 326}) == 2
        assert await client.count(dollar_value={"to": 325}) == 0


async def test_a_stone_is_served_with_what_the_data_set_says_of_it(connect):
    async with connect(DATA_SET_SIZE) as client:
        page = await client.page(fields=EVERYTHING, dollar_value={"from": 326, "to": 326})
    first = page["items"][0]
    assert first["id"] == f"DIAMOND/{stone_id(0)}"
    assert first["price"] == 326_00
    assert set(first["diamond"]) >= {"availability", "HoldId", "supplierStockId", "eyeClean", "brown", "green", "milky"}
    certificate = first["diamond"]["certificate"]
    assert (certificate["carats"], certificate["color"], certificate["clarity"]) == (0.23, "E", "SI2")
    assert (certificate["length"], certificate["width"], certificate["depth"]) == (3.95, 3.98, 2.43)
    assert (certificate["depthPercentage"], certificate["table"], certificate["cut"]) == (61.5, 55, "ID")


async def test_prices_can_be_dollars(connect):
    async with connect(10, price_unit="dollars") as client:
        page = await client.page(order={"type": "price"})
    assert page["items"][0]["price"] == 326


async def test_ranges_include_both_ends(connect):
    async with connect() as client:
        prices = [i["price"] // 100 for i in (await client.page(order={"type": "price"}))["items"]]
        low, high = prices[10], prices[30]
        expected = sum(low <= p <= high for p in prices)
        assert await client.count(dollar_value={"from": low, "to": high}) >= expected
        page = await client.page(dollar_value={"from": low, "to": high}, order={"type": "price"})
        found = [i["price"] // 100 for i in page["items"]]
        assert min(found) == low
        assert max(found) == high
        some = (await client.page(fields="diamond { updatedAt }", order={"type": "createdAt"}))["items"][7]
        moment = some["diamond"]["updatedAt"]
        assert await client.count(updated={"from": moment, "to": moment}) == 1


@pytest.mark.parametrize("order", ["createdAt", "price", "none"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
async def test_pages_of_any_order_show_each_stone_once(connect, order, direction):
    async with connect(230) as client:
        offset, seen = 0, []
        while items := (await client.page(offset, order={"type": order, "direction": direction}))["items"]:
            seen += [i["id"] for i in items]
            offset += len(items)
        again = (await client.page(0, order={"type": order, "direction": direction}))["items"]
    assert len(seen) == len(set(seen)) == 230
    assert [i["id"] for i in again] == seen[:50]


async def test_order_by_price_and_by_creation(connect):
    async with connect() as client:
        down = await client.page(order={"type": "price", "direction": "DESC"})
        old = await client.page(order={"type": "createdAt"}, fields="diamond { createdAt }")
    prices = [i["price"] for i in down["items"]]
    dates = [i["diamond"]["createdAt"] for i in old["items"]]
    assert prices == sorted(prices, reverse=True)
    assert dates == sorted(dates)


@pytest.mark.parametrize(
    ("query", "path", "meets"),
    [
        ({"shapes": ["OVAL", "PEAR"]}, ("certificate", "shape"), lambda v: v in {"OVAL", "PEAR"}),
        ({"color": ["D"]}, ("certificate", "color"), lambda v: v == "D"),
        ({"sizes": [{"to": 0.5}, {"from": 2}]}, ("certificate", "carats"), lambda v: v <= 0.5 or v >= 2),
        ({"sizes": {"to": 0.3}}, ("certificate", "carats"), lambda v: v <= 0.3),
        ({"labgrown": False}, ("certificate", "labgrown"), lambda v: v is False),
        ({"labgrown": True}, ("certificate", "labgrown"), lambda v: v is True),
        ({"has_image": True}, ("image",), lambda v: v is not None),
        ({"has_v360": False}, ("video",), lambda v: v is None),
        ({"availability": ["ON_HOLD", "MEMO"]}, ("availability",), lambda v: v != "AVAILABLE"),
    ],
)  # fmt: skip
async def test_filters_split_the_stock_exactly(connect, query, path, meets):
    def value(item):
        found = item["diamond"]
        for name in path:
            found = found[name]
        return found

    async with connect(50) as client:
        everything = (await client.page(fields=EVERYTHING))["items"]
        found = (await client.page(fields=EVERYTHING, **query))["items"]
        assert await client.count(**query) == len(found)
    rest = [i for i in everything if i not in found]
    assert found
    assert rest
    assert all(meets(value(i)) for i in found)
    assert not any(value(i) is not None and meets(value(i)) for i in rest)


async def test_price_per_carat_and_ids(connect):
    async with connect(50) as client:
        items = (await client.page(fields="price diamond { id certificate { carats } }"))["items"]
        dear = [i for i in items if i["price"] / 100 / i["diamond"]["certificate"]["carats"] >= 4000]
        assert await client.count(dollar_per_carat={"from": 4000}) == len(dear)
        wanted = [i["diamond"]["id"] for i in items[3:6]]
        page = await client.page(ids=[*wanted, "unknown", wanted[0][:-8] + "ffffffff"])
        assert [i["diamond"]["id"] for i in page["items"]] == wanted
        assert await client.count(ids=[]) == 0


async def test_replicas_are_distinct_and_near_their_original():
    catalogue = Catalogue(DATA_SET_SIZE * 2 + 7)
    assert len(catalogue) == DATA_SET_SIZE * 2 + 7
    rows = catalogue.rows(range(DATA_SET_SIZE, DATA_SET_SIZE + 500))
    assert len({stone_id(row.n) for row in rows}) == 500
    for row in rows:
        assert abs(row.price - load()[row.source].price) <= 0.03 * load()[row.source].price + 1


async def test_fragments_aliases_and_typename_survive_the_short_cut(connect):
    document = """
        query Page($with: Boolean!) { diamonds_by_query(limit: 1) { __typename items { ...Offer } } }
        fragment Offer on DiamondOffer { offer: id __typename diamond { price: id
          ... on Diamond { certificate { __typename carats shape @skip(if: $with) } } } }
    """
    async with connect() as client:
        result = (await client.ask(document, **{"with": True}))["diamonds_by_query"]
    offer = result["items"][0]
    assert result["__typename"] == "DiamondsResult"
    assert offer["__typename"] == "DiamondOffer"
    assert offer["offer"] == f"DIAMOND/{offer['diamond']['price']}"
    assert set(offer["diamond"]["certificate"]) == {"__typename", "carats"}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ diamonds_by_query(limit: 51) { total_count } }", "limit must be 1 to 50"),
        ("{ diamonds_by_query(offset: -1) { total_count } }", "offset 0 or more"),
        ('{ diamonds_by_query_count(query: {updated: {from: "yesterday"}}) }', "ISO 8601"),
        ('{ diamonds_by_query_count(query: {updated: {from: "2026-01-01T00:00:00"}}) }', "offset is missing"),
        ("{ diamonds_by_query { items { weight } } }", "Cannot query field 'weight'"),
        ("{ diamonds_by_query(query: {price: 1}) { total_count } }", "unknown field 'price'"),
        ("{ diamonds_by_query", "Syntax Error"),
    ],
)
async def test_bad_questions_are_named(connect, query, message):
    async with connect(10) as client:
        response = await client.post(query)
    assert message in response.json()["errors"][0]["message"]
    assert response.json()["data"] is None


async def test_a_session_is_needed_and_lives_six_hours(connect):
    async with connect(10) as client:
        now = [0.0]
        client.supplier.nivoda._clock = lambda: now[0]
        await client.login()
        now[0] = TOKEN_LIFE_SECONDS - 1
        assert await client.count() == 10
        now[0] = TOKEN_LIFE_SECONDS
        response = await client.post("{ diamonds_by_query_count }")
        assert response.status_code == 200
        assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        wrong = 'mutation { authenticate { username_and_password(username: "manifold", password: "no") { token } } }'
        assert "Invalid username or password" in (await client.post(wrong)).text
        await client.login()
        assert await client.count() == 10
        await client.http.post("/_control/expire-sessions")
        assert "UNAUTHENTICATED" in (await client.post("{ diamonds_by_query_count }")).text
