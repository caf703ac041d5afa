"""A host that is killed while it orders at the supplier: the order is sent once, and somebody is told."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from threading import Thread
from typing import Any
from urllib.request import urlopen

import pytest

HEADERS = {"X-Admin-Key": "acceptance", "X-Idempotency-Key": "ring-7"}


def ordered(app: Any) -> list[dict[str, Any]]:
    """What the supplier was asked to sell."""
    with urlopen(f"{app.supplier}/_control/orders", timeout=10) as answer:
        return json.loads(answer.read())["orders"]


@pytest.mark.crash
@pytest.mark.parametrize("wait", [0.2, 1.2, 2.2], ids=["looking", "ordering", "answered"])
async def test_a_kill_while_ordering_sends_nothing_twice(running: Any, wait: float) -> None:
    async with running("--diamonds", "60") as app:
        app.wait(app.start("full"))
        [diamond] = app.ask("GET", "/api/v2/diamonds?availability=available&limit=1")["data"]
        path = f"/api/v2/diamonds/{diamond['id']}/purchase"
        app.control("faults", {"faults": {"slow": {"probability": 1, "seconds": 1}}})  # a look, then the order

        def buy() -> None:
            with suppress(OSError):  # the host dies under it
                app.host.request("POST", path, {}, headers=HEADERS, timeout=30)

        buyer = Thread(target=buy)
        buyer.start()
        app.until(lambda: app.rows("select 1 from diamonds.purchase_history") != [])
        await asyncio.sleep(wait)
        app.host.kill()
        buyer.join()
        app.control("faults", {"faults": {}})
        app.host.start()
        again = app.host.request("POST", path, {}, headers=HEADERS)
        assert again.status in (201, 202)
        assert again.json()["supplier"]["state"] in ("asked", "ordered")
        assert len(ordered(app)) <= 1
        if again.json()["supplier"]["state"] == "asked":
            app.rows(
                "update diamonds.purchase_history set supplier_changed_at = now() - interval '3 minutes' returning id"
            )
            assert app.host.request("POST", "/admin/functions/diamonds_trades", {"input": ""}).status == 202
            app.until(lambda: app.mails() != [])
            assert app.host.request("POST", path, {}, headers=HEADERS).json()["supplier"]["state"] == "unknown"
        assert len(ordered(app)) <= 1
        assert app.rows("select availability from diamonds.diamonds where availability = 'sold'") == [("sold",)]
