"""The routes of diamonds on offer as their clients see them: statuses, shapes, refusals."""

import json
from urllib.parse import quote

import pytest

from shared.platform.access import auth
from tests.fresh_settings import forget_settings
from tests.integration.triggers.diamonds.conftest import ask

SEARCH = "/api/v2/diamonds"


async def test_defect_lab_grown_false_is_parsed_as_true(shop, client):
    natural, lab, unknown = [await shop.offer(lab_grown=origin) for origin in (False, True, None)]
    for text, wanted in {"false": [natural], "true": [lab], "": [natural, lab, unknown]}.items():
        status, found, _ = await ask("GET", f"{SEARCH}?lab_grown={text}&sort_order=asc", headers=client)
        assert status == 200
        assert sorted(one["id"] for one in found["data"]) == wanted, text


async def test_the_answer_has_the_shape_that_clients_know(shop, client):
    await shop.offer(measurements=json.dumps({"length": 6.5}))
    status, found, headers = await ask("GET", SEARCH, headers=client)
    assert status == 200
    assert found["pagination"] == {
        "total": 1, "totalIs": "exact", "page": 1, "limit": 50, "totalPages": 1, "next": None,
    }  # fmt: skip
    (diamond,) = found["data"]
    assert (diamond["carats"], diamond["price_model_price"], diamond["retail_price"]) == (1.0, 1000.0, 1150.0)
    assert diamond["measurements"] == {"length": 6.5}
    assert "hold_id" not in diamond
    assert headers["RateLimit-Policy"] == '"client";q=600;w=60'
    assert headers["RateLimit"].startswith('"client";r=599;t=')
    assert (await ask("GET", f"{SEARCH}/{diamond['id']}", headers=client))[1] == diamond


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("page=0", "page"),
        ("page=1e9", "page"),
        ("lab_grown=maybe", "lab_grown"),
        ("carat_min=NaN", "carat_min"),
        ("carat_min=Infinity", "carat_min"),
        ("carat_max=1e400", "carat_max"),
        ("price_min=-1", "price_min"),
        ("price_max=1;drop table diamonds.diamonds", "price_max"),
        ("sort_by=retail_price", "sort_by"),
        ("sort_order=asc,id", "sort_order"),
        ("shape=%00", "shape"),
        ("shape=" + "A" * 51, "shape"),
        ("cursor=%27", "cursor"),
        ("colour=D", "colour"),
        ("color=D&color=E", "color"),
    ],
)
async def test_an_unusable_query_names_the_field(shop, client, query, field):
    status, found, _ = await ask("GET", f"{SEARCH}?{query}", headers=client)
    assert status == 400
    assert found["errors"][0]["pointer"] == f"#/{field}"


@pytest.mark.parametrize(
    ("query", "pointer", "says"),
    [
        ("price_min=2&price_max=1", "#/price_max", "It is under price_min."),
        ("carat_max=1&carat_min=2", "#/carat_max", "It is under carat_min."),
    ],
)
async def test_contradictions_are_refused(shop, client, query, pointer, says):
    status, found, _ = await ask("GET", f"{SEARCH}?{query}", headers=client)
    (error,) = found["errors"]
    assert (status, error["in"], error["pointer"]) == (400, "query", pointer)
    assert says in error["detail"]
    assert "Value error" not in found["detail"]


async def test_a_page_and_a_cursor_contradict_each_other(shop, client):
    for _ in range(2):
        await shop.offer()
    _, first, _ = await ask("GET", f"{SEARCH}?limit=1", headers=client)
    status, found, _ = await ask("GET", f"{SEARCH}?page=2&cursor={first['pagination']['next']}", headers=client)
    (error,) = found["errors"]
    assert (status, error["in"], error["pointer"]) == (400, "query", "#/cursor")
    assert "Send page or cursor." in error["detail"]


async def test_a_diamond_that_is_not_there_is_told_with_a_remedy(shop, client):
    status, found, _ = await ask("GET", f"{SEARCH}/5", headers=client)
    assert (status, found["code"]) == (404, "unknown-diamond")
    assert found["remedy"].startswith("Search for those that are")


@pytest.mark.parametrize("text", ["' or 1=1 --", "%", "%s", "%(shape)s", "{}", "\\", "ROUND'", "\u017f", "\U0001f48e"])
@pytest.mark.parametrize("name", ["shape", "color", "clarity", "cut"])
async def test_hostile_text_finds_nothing_and_breaks_nothing(shop, client, name, text):
    await shop.offer()
    status, found, _ = await ask("GET", f"{SEARCH}?{name}={quote(text)}", headers=client)
    assert (status, found["data"]) == (200, [])


@pytest.mark.parametrize("diamond", ["0", "-1", "abc", "9223372036854775808", "1%20or%201"])
async def test_an_id_that_is_none_is_refused(shop, client, diamond):
    assert (await ask("GET", f"{SEARCH}/{diamond}", headers=client))[0] == 400


async def test_hold_and_purchase_over_http(shop, client):
    diamond = await shop.offer()
    url = f"{SEARCH}/{diamond}"
    assert (await ask("POST", f"{url}/availability", headers=client))[1]["available"]
    first, held, _ = await ask("POST", f"{url}/hold", headers=client)
    again, renewed, _ = await ask("POST", f"{url}/hold", headers=client, body={"minutes": 90})
    assert (first, again, renewed["hold_id"]) == (201, 200, held["hold_id"])
    status, found, _ = await ask("POST", f"{url}/purchase", headers=client)
    assert (status, found["errors"][0]["pointer"]) == (400, "#/X-Idempotency-Key")
    keyed = {**client, "X-Idempotency-Key": "order-1"}
    status, bought, headers = await ask("POST", f"{url}/purchase", headers=keyed, body={"reference": "PO"})
    assert (status, bought["price"], "Idempotency-Replayed" in headers) == (201, 1150.0, False)
    assert (await ask("POST", f"{url}/purchase", headers=keyed, body={"reference": "PO"}))[:2] == (201, bought)
    for other in ({"reference": "other"}, None):
        assert (await ask("POST", f"{url}/purchase", headers=keyed, body=other))[0] == 409
    status, refused, _ = await ask("POST", f"{url}/hold", headers=client)
    assert (status, refused["code"]) == (409, "diamond-not-available")
    assert (await ask("GET", url, headers=client))[1]["availability"] == "sold"


async def test_a_hold_is_given_up_over_http_by_its_holder_alone(shop, client, key_for):
    diamond = await shop.offer()
    other = {"X-API-Key": await key_for("other", "diamonds:trade")}
    url = f"{SEARCH}/{diamond}/hold"
    await ask("POST", url, headers=other)
    status, refused, _ = await ask("DELETE", url, headers=client)
    assert (status, refused["code"]) == (409, "diamond-held")
    status, now, _ = await ask("DELETE", url, headers=other)
    assert (status, now["available"], now["held_until"]) == (200, True, None)
    status, refused, _ = await ask("DELETE", url, headers=other)
    assert (status, refused["code"]) == (404, "no-hold")
    assert (await ask("DELETE", f"{SEARCH}/{diamond + 1}/hold", headers=other))[1]["code"] == "unknown-diamond"


@pytest.mark.parametrize("body", [{"minutes": 0}, {"minutes": 1_441}, {"minutes": "x"}, {"hours": 1}, [], "x"])
async def test_an_unusable_hold_is_refused(shop, client, body):
    diamond = await shop.offer()
    assert (await ask("POST", f"{SEARCH}/{diamond}/hold", headers=client, body=body))[0] == 400
    assert await shop.fetch("select id from diamonds.hold_history") == []


async def test_each_route_needs_its_permission(shop, client, capsys, key_for):
    diamond = await shop.offer()
    reader = {"X-API-Key": await key_for("reader", "diamonds:read")}
    trader = {"X-API-Key": await key_for("trader", "diamonds:trade"), "X-Idempotency-Key": "k"}
    for method, url, reads in (
        ("GET", SEARCH, True),
        ("GET", f"{SEARCH}/{diamond}", True),
        ("POST", f"{SEARCH}/{diamond}/availability", True),
        ("POST", f"{SEARCH}/{diamond}/hold", False),
        ("DELETE", f"{SEARCH}/{diamond}/hold", False),
        ("POST", f"{SEARCH}/{diamond}/purchase", False),
    ):
        status, found, headers = await ask(method, url)
        assert (status, found["code"]) == (401, "unauthenticated")
        assert "WWW-Authenticate" in headers
        wrong = trader if reads else reader
        status, found, _ = await ask(method, url, headers=wrong)
        assert (status, found["code"]) == (403, "permission-missing")
        status, _, _ = await ask(method, url, headers=reader if reads else trader)
        assert status < 300


async def test_the_operator_may_use_every_route(shop, monkeypatch):
    monkeypatch.setenv("ADMIN_API_KEY", "operator")
    forget_settings()
    diamond = await shop.offer()
    admin = {"X-Admin-Key": "operator", "X-Idempotency-Key": "k"}
    status, _, headers = await ask("GET", SEARCH, headers=admin)
    assert (status, "RateLimit" in headers) == (200, False)
    assert (await ask("POST", f"{SEARCH}/{diamond}/purchase", headers=admin))[0] == 201
    assert (await ask("GET", SEARCH, headers={"X-Admin-Key": "wrong"}))[0] == 401
    assert auth.ALL == "*"


async def test_a_client_over_its_quota_is_told_when_to_come_back(shop, client, monkeypatch):
    monkeypatch.setenv("CLIENT_REQUESTS_PER_MINUTE", "3")
    forget_settings()
    statuses = [(await ask("GET", SEARCH, headers=client))[0] for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    status, found, headers = await ask("GET", SEARCH, headers=client)
    assert (status, found["code"]) == (429, "rate-limited")
    assert 1 <= int(headers["Retry-After"]) <= 20
    assert headers["RateLimit"].startswith('"client";r=0;t=')
    assert found["remedy"]
