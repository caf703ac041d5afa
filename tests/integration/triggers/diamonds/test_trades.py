"""What operators see of holds and purchases at suppliers, and how they settle an order."""

import json
from typing import Any

import azure.functions as func
import pytest

from shared.platform.stores.postgres import database
from tests.fresh_settings import forget_settings
from triggers.diamonds.trades import routes

KEY = "operator"
LIST, RESOLVE = "/api/v2/analytics/trades", "/api/v2/triggers/resolve-order"


@pytest.fixture(autouse=True)
def admin(monkeypatch, migrated):
    monkeypatch.setenv("ADMIN_API_KEY", KEY)
    forget_settings()
    yield
    forget_settings()


async def ask(method, url, body=None):
    path = url.split("?")[0]
    (operation,) = [one for one in routes.operations if one.method == method and one.route == path]
    raw = b"" if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", "X-Admin-Key": KEY}
    answer = await operation.answer(func.HttpRequest(method, f"http://localhost{url}", headers=headers, body=raw))
    content = answer.get_body()
    found: Any = json.loads(content) if content else None
    return answer.status_code, found


@pytest.fixture
async def purchases():
    """Three purchases of three diamonds: ordered, unknown, ours alone."""
    async with database() as connection:
        cursor = await connection.execute(
            """
            with sold as (
                insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, price_model_price,
                    price_per_carat, retail_price, markup_ratio, availability, feed_availability, hold_expires_at)
                select 'nivoda', 's' || n, 'o', 'ROUND', 1, 100, 100, 115, 1.15, 'sold', 'available', 'infinity'
                from generate_series(1, 3) n returning id, supplier_stone_id
            )
            insert into diamonds.purchase_history (diamond_id, idempotency_key, request_hash, client_name, price,
                answer, supplier_state, supplier_order_id)
            select id, supplier_stone_id, decode(repeat('00', 32), 'hex'), 'acme', 115, '{}',
                case supplier_stone_id when 's1' then 'ordered' when 's2' then 'unknown' else 'ours' end,
                case supplier_stone_id when 's1' then 'order-1' end
            from sold order by id returning id
            """
        )
        return [row[0] for row in await cursor.fetchall()]


async def test_they_are_listed_newest_first_page_by_page(purchases):
    status, first = await ask("GET", f"{LIST}?limit=2")
    assert status == 200
    assert [one["supplier_state"] for one in first["data"]] == ["ours", "unknown"]
    _, second = await ask("GET", f"{LIST}?limit=2&cursor={first['pagination']['next']}")
    (last,) = second["data"]
    assert (last["id"], last["supplier_id"], last["client"], last["price"]) == (purchases[0], "order-1", "acme", 115)
    assert second["pagination"]["next"] is None
    assert (await ask("GET", f"{LIST}?kind=hold"))[1]["data"] == []
    assert (await ask("GET", f"{LIST}?kind=loan"))[0] == 400


async def test_an_unknown_order_is_settled_once(purchases):
    _, open_ = await ask("GET", f"{LIST}?unsettled=true")
    assert [one["id"] for one in open_["data"]] == [purchases[1]]
    body = {"purchase_id": purchases[1], "order_id": "order-2"}
    assert await ask("POST", RESOLVE, body) == (204, None)
    assert (await ask("GET", f"{LIST}?unsettled=true"))[1]["data"] == []
    for wrong, code in (
        ({**body, "order_id": None}, 409),
        ({**body, "purchase_id": 10**9}, 404),
        ({"purchase_id": 1}, 400),
    ):
        assert (await ask("POST", RESOLVE, wrong))[0] == code
