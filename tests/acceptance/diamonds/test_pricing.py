"""Re-pricing through the whole app, killed on the way."""

from __future__ import annotations

import random
from typing import Any

import psycopg
import pytest

from tests.acceptance.kills import let_work

KILLS = 5
RULES = "/api/v2/pricing-rules"
_OFFER = """
insert into diamonds.diamonds (feed, supplier_stone_id, offer_id, shape, carats, lab_grown, price_model_price,
    price_per_carat, retail_price, markup_ratio, availability)
select 'nivoda', 'stone-' || n, 'offer', case when n % 2 = 0 then 'ROUND' else 'OVAL' end, 1 + n % 300 / 100.0,
    n % 3 = 0, 1000 + n % 9000, 1000, round((1000 + n % 9000) * 1.15, 2), 1.15, 'available'
from generate_series(1, {count}) n
"""
_WRONG = """
select count(*) from diamonds.diamonds where (retail_price, markup_ratio, rating) is distinct from (
    case when shape = 'OVAL' and carats <= 2 then (round(price_model_price * 1.4, 2), 1.4, 8::smallint)
    when lab_grown then (round(price_model_price * 1.05, 2), 1.05, null::smallint)
    else (round(price_model_price * 1.15, 2), 1.15, null::smallint) end)
"""


def offer(app: Any, count: int) -> None:
    with psycopg.connect(app.settings["POSTGRES_DSN"]) as connection:
        connection.execute(_OFFER.format(count=count).encode())


def ended(app: Any, location: str) -> dict[str, Any] | None:
    answer = app.host.request("GET", location, headers={"X-Admin-Key": "acceptance"})
    return answer.json() if answer.status == 200 and answer.json()["status"] != "running" else None


@pytest.mark.crash
async def test_kills_in_a_repricing_leave_every_diamond_at_the_rules_price(running: Any) -> None:
    chance = random.Random(5)
    async with running(INGEST_SECONDS="0.2") as app:
        offer(app, 150_000)
        app.ask("POST", RULES, {"shapes": ["oval"], "carat_max": 2, "markup_ratio": 1.4, "rating": 8}, status=201)
        second = {"lab_grown": True, "markup_ratio": 1.05, "priority": 200}
        app.ask("POST", RULES, second, status=201)
        told = app.ask("POST", f"{RULES}/preview", {"rule": {"markup_ratio": 1.15, "priority": 900}}, status=200)
        started = app.ask("POST", "/api/v2/triggers/reprice", {}, status=202)
        for _ in range(KILLS):
            let_work(chance.uniform(0.2, 0.9), lambda: app.rows("select looked_at from diamonds.repricings"))
            assert app.host.restart_by_kill() == ["reprice_diamonds"]
        app.until(lambda: ended(app, started["location"]) is not None)
        done = ended(app, started["location"])
        assert done is not None
        assert (done["status"], done["looked_at"], done["total"]) == ("completed", 150_000, 150_000)
        assert done["changed"] == told["changed"], "as often as the preview said: no batch was done twice"
        assert app.rows(_WRONG) == [(0,)]
        assert app.ask("GET", "/ops/runs?status=Running&status=Pending")["data"] == []


async def test_a_second_repricing_is_refused_and_an_unknown_feed_named(running: Any) -> None:
    async with running(INGEST_SECONDS="0.1") as app:
        offer(app, 60_000)
        app.ask("POST", RULES, {"markup_ratio": 1.4}, status=201)
        started = app.ask("POST", "/api/v2/triggers/reprice", {}, status=202)
        assert app.ask("POST", "/api/v2/triggers/reprice", {}, status=409)["code"] == "already-running"
        assert app.ask("POST", "/api/v2/triggers/reprice", {"feed": "unknown"}, status=404)["code"] == "unknown-feed"
        app.until(lambda: ended(app, started["location"]) is not None)
        assert app.ask("GET", started["location"])["changed"] == 60_000
        [run] = [one for one in app.ask("GET", "/ops/runs")["data"] if one["id"] == "reprice-nivoda"]
        progress = {"phase": "re-pricing", "done": 60_000, "total": 60_000, "percent": 100, "changed": 60_000}
        assert run["progress"] | progress == run["progress"]
