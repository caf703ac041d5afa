"""Diamond runs through the whole app."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from tests.acceptance.kills import let_work

ALL_FAULTS = {
    "short_pages": {"probability": 0.2},
    "total_count": {"probability": 1},
    "errors": {"probability": 0.03},
    "throttle": {"probability": 0.02, "seconds": 0.2},
    "server_error": {"probability": 0.03},
    "expired_token": {"probability": 0.02},
    "slow": {"probability": 0.1, "seconds": 0.1},
    "unmappable": {"probability": 0.005},
}
EIGHTHS = """
select (select count(*) from diamonds.run_sightings) / 1500,
    (select count(*) from diamonds.raw_diamonds where consolidation_status <> 'pending') / 1500
"""


def assert_all_consolidated_once(app: Any, stock: dict[str, dict[str, Any]]) -> None:
    """Every diamond the supplier has was mapped and priced, or failed with a reason; each once, at today's price."""
    raw = app.rows("select supplier_stone_id, consolidation_status, failure_reason from diamonds.raw_diamonds")
    known = {stone: (status, reason) for stone, status, reason in raw}
    assert len(known) == len(raw)
    assert set(stock) <= set(known)
    assert {status for status, _ in known.values()} <= {"done", "failed"}
    assert all(reason for status, reason in known.values() if status == "failed")
    diamonds = app.rows(
        "select supplier_stone_id, price_model_price, retail_price from diamonds.diamonds where status = 'active'"
    )
    prices = {stone: (cost, retail) for stone, cost, retail in diamonds}
    assert len(prices) == len(diamonds)
    for stone, item in stock.items():
        if known[stone][0] == "done":
            cost, retail = prices[stone]
            assert cost == Decimal(item["price"]) / 100, stone
            assert retail == (cost * Decimal("1.15")).quantize(Decimal("0.01"), ROUND_HALF_UP), stone


async def test_a_full_run_then_only_what_changed(running: Any) -> None:
    async with running("--diamonds", "3000") as app:
        full = app.wait(app.start("full"))
        assert full["run"] | {"status": "completed", "expected": 3000, "ingested": 3000, "pending": 0} == full["run"]
        assert sum(part["records"] for part in full["partitions"]) == 3000
        app.control("changes", {"reprice": 40, "add": 5, "seed": 7})
        changed = app.wait(app.start("incremental"))["run"]
        assert changed["status"] == "completed"
        assert 5 <= changed["ingested"] <= 45, "only the update window's rows"
        assert_all_consolidated_once(app, app.stock())
        [[raw]] = app.rows("select count(*) from diamonds.raw_diamonds")
        assert raw == 3005


async def test_prices_with_cents_hide_no_diamond_between_two_partitions(running: Any) -> None:
    async with running("--diamonds", "6000", "--cents-in-prices") as app:
        full = app.wait(app.start("full"))
        assert full["run"] | {"status": "completed", "ingested": 6000, "consolidated": 6000} == full["run"]
        assert len(full["partitions"]) > 3
        assert_all_consolidated_once(app, app.stock())
        assert app.mails() == []


async def test_a_second_run_on_the_feed_is_refused_and_bad_input_is_named(running: Any) -> None:
    async with running("--diamonds", "2000", "--latency-ms", "50") as app:
        run = app.start("full")
        refused = app.host.request(
            "POST", "/api/v2/triggers/scheduler", {"run_type": "full"}, headers={"X-Admin-Key": "acceptance"}
        )
        assert refused.status == 409
        assert refused.json()["code"] == "already-running"
        wrong = app.host.request(
            "POST", "/api/v2/triggers/scheduler", {"run_type": "fast"}, headers={"X-Admin-Key": "acceptance"}
        )
        assert wrong.status == 400
        assert wrong.json()["errors"][0]["pointer"] == "#/run_type"
        keyless = app.host.request("POST", "/api/v2/triggers/scheduler", {"run_type": "full"})
        assert keyless.status == 401
        assert app.wait(run)["run"]["status"] == "completed"


async def test_failed_partitions_hold_consolidation_mail_once_and_can_be_forced(running: Any) -> None:
    async with running("--diamonds", "2500", "--latency-ms", "150") as app:
        run = app.start("full")
        app.until(lambda: app.rows("select count(*) from diamonds.worker_runs where records_processed > 0") != [(0,)])
        # The vendor locks the account in the middle of the run: trying again cannot help.
        app.host.kill()
        assert {"diamond_run", "ingest_partition"} <= set(app.host.unfinished()), "the kill found it reading"
        app.host.environment = {**app.host.environment, "NIVODA_PASSWORD": "locked"}
        app.host.start()
        held = app.wait(run)
        assert held["run"]["status"] == "held"
        assert held["run"]["partitions_failed"] == held["run"]["partitions"]
        assert all("refused" in part["error"] or "password" in part["error"] for part in held["partitions"])
        assert held["run"]["ingested"] == held["run"]["pending"] > 0, "kept, and not priced"
        app.until(lambda: len(app.mails()) == 1)
        assert "consolidation is held" in app.mails()[0]["subject"]
        assert app.rows("select count(*) from diamonds.diamonds") == [(0,)]
        app.ask("POST", "/api/v2/triggers/consolidate", {"run_id": run, "force": True}, status=202)
        app.until(lambda: app.wait(run)["run"]["status"] == "partial")
        forced = app.wait(run)["run"]
        assert (forced["consolidated"], forced["watermark_after"]) == (held["run"]["ingested"], None)


@pytest.mark.crash
async def test_ten_kills_in_a_run_full_of_faults_lose_and_double_nothing(running: Any) -> None:
    chance = random.Random(20261121)
    async with running("--diamonds", "12000", "--latency-ms", "20", INGEST_SECONDS="3") as app:
        app.control("faults", {"seed": 5, "faults": ALL_FAULTS | {"changes": {"probability": 0.05}}})
        run = app.start("full")
        for _ in range(10):
            let_work(chance.uniform(0.2, 2.5), lambda: app.rows(EIGHTHS))
            assert "diamond_run" in app.host.restart_by_kill()
        full = app.wait(run, seconds=180)
        assert full["run"]["status"] == "completed", json.dumps(full)[:2000]
        assert full["run"]["ingested"] == full["run"]["consolidated"] + full["run"]["failed"]
        [[counted]] = app.rows("select count(distinct supplier_stone_id) from diamonds.run_sightings")
        assert full["run"]["ingested"] == counted
        # What changed during the run is the next run's: its window begins before this one did.
        app.control("faults", {"seed": 6, "faults": ALL_FAULTS})
        after = app.wait(app.start("incremental"), seconds=180)
        assert after["run"]["status"] == "completed"
        app.control("faults", {"faults": {"unmappable": ALL_FAULTS["unmappable"]}})
        assert_all_consolidated_once(app, app.stock())
        running_instances = app.ask("GET", "/ops/runs?status=Running&status=Pending")["data"]
        assert running_instances == []
        [[since]] = app.rows(
            "select window_until - interval '15 minutes' from diamonds.run_metadata where run_type = 'incremental'"
        )
        [[mark]] = app.rows("select watermark_after from diamonds.run_metadata where run_type = 'incremental'")
        assert mark == since


async def test_a_capped_run_reads_the_cheapest_and_concludes_nothing_from_the_rest(running: Any) -> None:
    async with running("--diamonds", "2000", MAX_SCHEDULER_RECORDS="300") as app:
        capped = app.wait(app.start("full"))["run"]
        assert (capped["status"], capped["watermark_after"], capped["missing"]) == ("completed", None, None)
        assert 200 < capped["ingested"] == capped["consolidated"] <= 300
        prices = sorted(item["price"] / 100 for item in app.stock().values())
        [[dearest]] = app.rows("select max(price_model_price) from diamonds.diamonds")
        assert float(dearest) <= prices[300]


async def test_the_watermark_is_the_start_less_the_overlap_and_the_next_window_begins_there(running: Any) -> None:
    async with running("--diamonds", "300") as app:
        for run_type in ("full", "incremental"):
            app.wait(app.start(run_type))
        windows = "select window_since, window_until, started_at, watermark_after from diamonds.run_metadata order by 3"
        (full_since, full_until, full_start, full_mark), (since, until, start, mark) = app.rows(windows)
        overlap = timedelta(minutes=15)
        assert (full_since, full_mark) == (datetime(2000, 1, 1, tzinfo=UTC), full_start - overlap)
        assert full_until.year == 2100, "what changes while a full run reads does not fall out of it"
        assert (since, until, mark) == (full_mark, start, start - overlap)
