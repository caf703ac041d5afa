"""A host that is killed while it orders at the supplier: the order is sent once, and somebody is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any
from urllib.request import urlopen

import pytest

HEADERS = {"X-Admin-Key": "acceptance"}


def at_supplier(app: Any, what: str) -> Any:
    with urlopen(f"{app.supplier}/_control/{what}", timeout=10) as answer:
        return json.loads(answer.read())


def orders(app: Any) -> int:
    """How many orders the supplier has taken."""
    return len(at_supplier(app, "orders")["orders"])


def state(app: Any) -> str:
    """How far the newest purchase is at the supplier."""
    return app.rows("select supplier_state from diamonds.purchase_history order by id desc limit 1")[0][0]


def killed(app: Any, diamond: int, moment: Callable[[], bool]) -> str:
    """Kill the host when it buys the diamond and this holds; the purchase's path."""
    path = f"/api/v2/diamonds/{diamond}/purchase"

    def buy() -> None:
        with suppress(OSError):  # the host dies under it
            app.host.request("POST", path, {}, headers=HEADERS | {"X-Idempotency-Key": path}, timeout=30)

    buyer = Thread(target=buy)
    buyer.start()
    app.until(moment)
    app.host.kill()
    buyer.join()
    return path


@pytest.mark.crash
async def test_a_kill_while_ordering_sends_nothing_twice(running: Any) -> None:
    async with running("--diamonds", "60") as app:
        app.wait(app.start("full"))

        def asked(operation: str, before: int) -> bool:
            return at_supplier(app, "stats")["by_operation"].get(operation, 0) > before

        def again(path: str) -> str:
            """The same purchase once more, on a host that is there again."""
            answer = app.host.request("POST", path, {}, headers=HEADERS | {"X-Idempotency-Key": path})
            assert answer.status in (201, 202)
            return answer.json()["supplier"]["state"]

        found = app.ask("GET", "/api/v2/diamonds?availability=available&limit=3")["data"]
        looked, ordering, ordered = (one["id"] for one in found)
        app.control("faults", {"faults": {"slow": {"probability": 1, "seconds": 2}}})  # a look, then the order
        looks = at_supplier(app, "stats")["by_operation"]["diamonds_by_query"]
        paths = [killed(app, looked, lambda: asked("diamonds_by_query", looks))]
        assert (state(app), orders(app)) == ("asked", 0), "it was killed while it looked"
        app.host.start()
        paths.append(killed(app, ordering, lambda: asked("create_order", 0)))
        assert (state(app), orders(app)) == ("asked", 0), "it was killed while the supplier had its order"
        app.until(lambda: orders(app) == 1)
        app.control("faults", {"faults": {}})
        app.host.start()
        paths.append(killed(app, ordered, lambda: orders(app) == 2 and state(app) == "ordered"))
        app.host.start()
        assert [again(path) for path in paths] == ["asked", "asked", "ordered"]
        app.rows("update diamonds.purchase_history set supplier_changed_at = now() - interval '3 minutes' returning id")
        assert app.host.request("POST", "/admin/functions/diamonds_trades", {"input": ""}).status == 202
        app.until(lambda: app.mails() != [])
        app.until(lambda: [again(path) for path in paths] == ["unknown", "unknown", "ordered"])
        assert orders(app) == 2
        assert app.rows("select count(*) from diamonds.diamonds where availability = 'sold'") == [(3,)]
