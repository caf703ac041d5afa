"""The second feed: other names, other pages, other units, the same stones."""

import pytest

from local.supplier.faults import Fault, FaultName, FaultSettings

KEY = {"X-Api-Key": "manifold"}


async def test_pages_follow_tokens_to_the_end(connect):
    async with connect(430) as client:
        seen, token = [], None
        while True:
            parameters = {"page_size": 200, **({"page_token": token} if token else {})}
            page = (await client.http.get("/rest/v1/stones", params=parameters, headers=KEY)).json()
            seen += [stone["sku"] for stone in page["stones"]]
            token = page["next_page_token"]
            if token is None:
                break
    assert len(seen) == len(set(seen)) == 430


async def test_a_stone_in_the_words_of_this_feed(connect):
    async with connect(53_940) as client:
        page = (await client.http.get("/rest/v1/stones", params={"page_size": 1}, headers=KEY)).json()
    stone = page["stones"][0]
    assert stone["usd_price"] == "326.00"
    assert (stone["weight_ct"], stone["colour"], stone["purity"]) == (0.23, "E", "SI2")
    assert stone["measurements_mm"] == "3.95 x 3.98 x 2.43"
    assert stone["origin"] in {"natural", "laboratory"}


async def test_filters_and_count_agree(connect):
    async with connect(600) as client:
        window = {"min_usd": "500", "max_usd": "900", "modified_from": "2025-06-01T00:00:00Z"}
        count = (await client.http.get("/rest/v1/stones/count", params=window, headers=KEY)).json()["count"]
        page = (await client.http.get("/rest/v1/stones", params={**window, "page_size": 200}, headers=KEY)).json()
    assert 0 < count == len(page["stones"])
    assert all(500 <= float(s["usd_price"]) <= 900 and s["modified"] >= "2025-06" for s in page["stones"])


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"page_size": "0"}, "page_size must be 1 to 200"),
        ({"page_size": "many"}, "page_size must be a number"),
        ({"page_token": "zzz"}, "page_token"),
        ({"modified_from": "2025-06-01T00:00:00"}, "modified_from must have an offset"),
        ({"min_usd": "cheap"}, "min_usd must be a number"),
    ],
)
async def test_bad_parameters_are_named(connect, parameters, says):
    async with connect(10) as client:
        response = await client.http.get("/rest/v1/stones", params=parameters, headers=KEY)
    assert response.status_code == 400
    assert says in response.json()["detail"]


async def test_it_shares_the_account_limit_and_the_faults(connect):
    async with connect(400, rate_limit=3) as client:
        client.supplier.faults.set(FaultSettings(faults={FaultName.SHORT_PAGES: Fault(probability=1)}))
        page = (await client.http.get("/rest/v1/stones", params={"page_size": 200}, headers=KEY)).json()
        assert (len(page["stones"]), page["next_page_token"] is None) == (100, False)
        answers = [await client.http.get("/rest/v1/stones/count", headers=KEY) for _ in range(2)]
        stats = (await client.http.get("/_control/stats")).json()
    # The login was one of the three.
    assert [answer.status_code for answer in answers] == [200, 429]
    assert stats["by_operation"] == {"authenticate": 1, "rest_stones": 1, "rest_count": 2}


async def test_the_key_is_needed(connect):
    async with connect(10) as client:
        for headers in ({}, {"X-Api-Key": "guess"}, {"X-Api-Key": "\xe9"}):
            encoded = {name: value.encode("latin-1") for name, value in headers.items()}
            assert (await client.http.get("/rest/v1/stones", headers=encoded)).status_code == 401
