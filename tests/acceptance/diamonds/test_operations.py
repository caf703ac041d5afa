"""Runs that need a person, through the whole app: cancelled, retried, consolidated by the queue; and a second feed."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from azure.servicebus import ServiceBusClient, ServiceBusMessage

HEADERS = {"X-Admin-Key": "acceptance"}


def ingested(app: Any) -> bool:
    return app.rows("select count(*) from diamonds.raw_diamonds") != [(0,)]


def instances(app: Any) -> list[dict[str, Any]]:
    return app.ask("GET", "/ops/runs?status=Running&status=Pending")["data"]


def phases(app: Any) -> list[str | None]:
    """Where each run of a feed is that has not ended; None before it has said so."""
    return [(one["progress"] or {}).get("phase") for one in instances(app) if one["name"] == "diamond_run"]


def send(app: Any, *bodies: str, correlation_id: str | None = None) -> None:
    client = ServiceBusClient.from_connection_string(app.settings["ServiceBus"])
    with client, client.get_queue_sender("consolidate") as sender:
        for body in bodies:
            sender.send_messages(ServiceBusMessage(body, correlation_id=correlation_id))


def queue(app: Any) -> dict[str, Any]:
    (found,) = [one for one in app.ask("GET", "/ops/queues")["data"] if one["queue"] == "consolidate"]
    return found


def break_partitions(app: Any) -> None:
    """From now on all partitions but the first begin far behind their end, which the app takes for a broken supplier.

    A retry begins at their start, so that it succeeds.
    """
    with psycopg.connect(app.settings["POSTGRES_DSN"]) as connection:
        connection.execute(
            """
            create function far_off() returns trigger language plpgsql as
                'begin new.next_offset := 100000000; return new; end';
            create trigger far_off before insert on diamonds.partition_progress
                for each row when (new.partition_id > 'p000') execute function far_off();
            """
        )


def held_run(app: Any) -> dict[str, Any]:
    """A full run that has read its first partition, and of which all others have failed."""
    break_partitions(app)
    held = app.wait(app.start("full"))
    assert held["run"]["status"] == "held"
    assert {part["status"] for part in held["partitions"][1:]} == {"failed"}
    app.until(lambda: instances(app) == [])  # the run is held a moment before its orchestration has ended
    return held


async def test_a_cancelled_run_stops_its_partitions_and_leaves_nothing_behind(running: Any) -> None:
    async with running("--diamonds", "4000", "--latency-ms", "100") as app:
        run = app.start("full")
        app.until(lambda: ingested(app))
        answer = app.ask("POST", "/api/v2/triggers/cancel", {"run_id": run}, status=200)
        assert answer["status"] == "cancelled"
        app.until(lambda: instances(app) == [], seconds=30)
        (ended,) = [one for one in app.ask("GET", "/ops/runs")["data"] if one["name"] == "diamond_run"]
        assert (ended["status"], ended["progress"]["phase"]) == ("Completed", "cancelled")
        stopped = app.ask("GET", f"/api/v2/analytics/runs/{run}")
        assert stopped["run"]["status"] == "cancelled"
        assert 0 < stopped["run"]["ingested"] < 4000
        assert {part["status"] for part in stopped["partitions"]} & {"failed"} == set(), "nothing failed"
        assert app.rows("select count(*) from diamonds.diamonds") == [(0,)]
        assert app.mails() == []
        for route in ("retry-workers", "consolidate"):
            refused = app.host.request("POST", f"/api/v2/triggers/{route}", {"run_id": run}, headers=HEADERS)
            assert (refused.status, refused.json()["code"]) == (409, "run-ended")
        assert app.wait(app.start("full"))["run"]["status"] == "completed", "the feed is free"


async def test_a_run_that_still_counts_is_cancelled_at_once(running: Any) -> None:
    # Counting takes half a minute at this pace.
    async with running("--diamonds", "2000", "--latency-ms", "3000") as app:
        run = app.start("full")
        app.until(lambda: phases(app) == ["counting"])
        app.ask("POST", "/api/v2/triggers/cancel", {"run_id": run}, status=200)
        app.until(lambda: instances(app) == [], seconds=8)
        stopped = app.ask("GET", f"/api/v2/analytics/runs/{run}")
        assert (stopped["run"]["status"], stopped["partitions"]) == ("cancelled", [])


async def test_failed_partitions_are_retried_one_by_one_until_the_run_is_complete(running: Any) -> None:
    async with running("--diamonds", "3000") as app:
        held = held_run(app)
        run = held["run"]["run_id"]
        failed = app.ask("GET", f"/api/v2/triggers/failed-workers/{run}", status=200)["data"]
        assert [one["partition_id"] for one in failed] == [part["partition_id"] for part in held["partitions"][1:]]
        assert all(one["error"] for one in failed)
        assert len(app.ask("GET", "/api/v2/analytics/failed-workers?limit=1", status=200)["data"]) == 1

        first, *others = (one["partition_id"] for one in failed)
        app.ask("POST", "/api/v2/triggers/retry-workers", {"run_id": run, "partition_id": first}, status=202)
        app.until(lambda: instances(app) == [])
        after = app.wait(run)
        assert after["run"]["status"] == "held"
        assert {part["partition_id"] for part in after["partitions"] if part["status"] == "failed"} == set(others)
        again = {"run_id": run, "partition_id": first}
        refused = app.host.request("POST", "/api/v2/triggers/retry-workers", again, headers=HEADERS)
        assert (refused.status, refused.json()["code"]) == (409, "nothing-to-retry")

        app.ask("POST", "/api/v2/triggers/retry-workers", {"run_id": run}, status=202)
        app.until(lambda: app.wait(run)["run"]["status"] == "completed")
        whole = app.wait(run)["run"]
        assert (whole["ingested"], whole["consolidated"], whole["partitions_failed"]) == (3000, 3000, 0)
        assert whole["watermark_after"]
        assert app.ask("GET", f"/api/v2/triggers/failed-workers/{run}")["data"] == []


async def test_two_feeds_of_different_shape_are_read_at_the_same_time(running: Any) -> None:
    async with running("--diamonds", "2500", FEEDS="nivoda,brilliant", BRILLIANT_REQUESTS_PER_SECOND="0") as app:
        app.control("faults", {"faults": {"short_pages": {"probability": 0.3}}})
        runs = {
            feed: app.ask("POST", "/api/v2/triggers/scheduler", {"run_type": "full", "feed": feed}, status=202)[
                "run_id"
            ]
            for feed in ("nivoda", "brilliant")
        }
        for feed, run in runs.items():
            ended = app.wait(run)["run"]
            assert (ended["feed"], ended["status"], ended["consolidated"]) == (feed, "completed", 2500)
        # The same stones: what both say of each in their own words comes to the same.
        facts = (
            "select feed, shape, carats, color, clarity, lab_grown, price_model_price, retail_price, availability,"
            " measurements ->> 'length', measurements ->> 'depth_percentage', certificate_lab, fancy_color,"
            " fancy_intensity, fancy_overtone, count(*) from diamonds.diamonds where status = 'active'"
            " group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15"
        )
        found = app.rows(facts)
        by_feed = {feed: sorted((row[1:] for row in found if row[0] == feed), key=repr) for feed in runs}
        assert [row[:6] for row in by_feed["nivoda"]] == [row[:6] for row in by_feed["brilliant"]]
        fancy = [sorted((row[11:] for row in rows if row[11]), key=repr) for rows in by_feed.values()]
        assert fancy[0] == fancy[1] != []
        assert len({row[1] for row in found}) > 3
        assert {row[5] for row in found} == {True, False}

        app.control("changes", {"reprice": 20, "seed": 3})
        again = app.ask("POST", "/api/v2/triggers/scheduler", {"feed": "brilliant"}, status=202)["run_id"]
        ended = app.wait(again)["run"]
        assert (ended["status"], ended["ingested"]) == ("completed", 20)
        unknown = app.host.request("POST", "/api/v2/triggers/scheduler", {"feed": "rapnet"}, headers=HEADERS)
        assert (unknown.status, unknown.json()["code"]) == (404, "unknown-feed")
        feeds = app.ask("GET", "/api/v2/analytics/feeds", status=200)["data"]
        assert [(one["feed"], one["nightly"], one["active"]) for one in feeds] == [
            ("brilliant", True, 2500),
            ("nivoda", True, 2500),
        ]
        assert all(0 <= one["watermark_age_hours"] < 1 for one in feeds)
        for one in app.ask("GET", "/api/v2/analytics/consolidation", status=200)["data"]:
            assert (one["done"], one["pending"], one["failed"], one["oldest_pending_at"]) == (2500, 0, 0, None)
            assert one["last_consolidated_at"]


async def test_a_feed_that_shrinks_too_much_loses_no_diamond_and_tells_somebody(running: Any) -> None:
    async with running("--diamonds", "1000") as app:
        app.wait(app.start("full"))
        app.control("changes", {"remove": 100})
        small = app.wait(app.start("full"))["run"]
        assert (small["status"], small["offered"], small["missing"], small["deleted"]) == ("completed", 1000, 100, 100)
        deleted = "select count(*) from diamonds.diamonds where status = 'deleted' and deleted_at is not null"
        assert app.rows(deleted) == [(100,)]
        assert app.mails() == []

        app.control("changes", {"remove": 400, "seed": 9})
        held = app.wait(app.start("full"))
        large = held["run"]
        assert (large["status"], large["error_code"]) == ("held", "diamonds-vanished")
        assert (held["difference"]["offered"], held["difference"]["gone"]) == (900, 400)
        assert "400 of 900 diamonds are not offered any more (44%)" in large["error"]
        assert app.rows(deleted) == [(100,)]
        app.until(lambda: len(app.mails()) == 1)
        assert app.mails()[0]["subject"] == "[Manifold] nivoda: the run is held, nothing was changed"
        app.wait(app.start("full"))
        app.until(lambda: len(app.mails()) == 2)  # one mail per cause and run


async def test_the_queue_forces_a_held_run_and_keeps_the_trace(running: Any) -> None:
    async with running("--diamonds", "2500") as app:
        run = held_run(app)["run"]["run_id"]
        send(app, json.dumps({"runId": run, "force": True, "traceId": "trace-17"}))
        app.until(lambda: app.wait(run)["run"]["status"] == "partial")
        forced = app.wait(run)["run"]
        assert (forced["trace_id"], forced["watermark_after"], forced["pending"]) == ("trace-17", None, 0)
        assert forced["consolidated"] == forced["ingested"] > 0
        assert queue(app) | {"active": 0, "dead_letters": 0} == queue(app)


async def test_poison_ends_in_the_dead_letter_queue_and_can_be_read_and_resubmitted(running: Any) -> None:
    async with running("--diamonds", "1200") as app:
        run = app.wait(app.start("full"))["run"]
        stranger = "00000000-0000-4000-8000-000000000001"
        send(app, '{"runId": "none", "password": "hunter2"}', json.dumps({"runId": stranger, "force": True}))
        app.until(lambda: queue(app)["dead_letters"] == 2)
        page = app.ask("GET", "/ops/queues/consolidate/dead-letters?limit=1", status=200)
        (unreadable,) = page["data"]
        assert unreadable["reason"] == "MaxDeliveryCountExceeded"
        assert json.loads(unreadable["body"]) == {"runId": "none", "password": "***"}
        rest = app.ask("GET", f"/ops/queues/consolidate/dead-letters?cursor={page['pagination']['next']}")
        (unknown,) = rest["data"]
        assert stranger in unknown["body"]

        # A message for a completed run is a repeated one: it is done with.
        send(app, json.dumps({"runId": run["run_id"]}))
        app.until(lambda: queue(app) | {"active": 0, "dead_letters": 2} == queue(app))
        numbers = {"sequence_numbers": [unknown["sequence_number"], 999_999]}
        answer = app.ask("POST", "/ops/queues/consolidate/dead-letters/resubmit", numbers, status=200)
        assert answer == {"resubmitted": [unknown["sequence_number"]], "missing": [999_999]}
        app.until(lambda: queue(app) | {"active": 0, "dead_letters": 2} == queue(app), seconds=90)
        left = app.ask("GET", "/ops/queues/consolidate/dead-letters")["data"]
        assert left[0]["sequence_number"] == unreadable["sequence_number"]
        assert left[1]["message_id"].endswith(f"~{unknown['sequence_number']}")

        assert app.ask("GET", "/status/queue")["data"] == app.ask("GET", "/ops/queues")["data"]
        status = app.ask("GET", "/status", status=200)
        assert (status["status"], status["running"], status["feeds"]) == ("ok", {}, {"nivoda": "completed"})
        assert [one["queue"] for one in status["queues"]] == ["consolidate", "deployments", "mail-events", "papers"]
        newest = app.ask("GET", "/ops/runs?order=newest&limit=100")["data"]
        assert {one["id"] for one in newest} == {one["id"] for one in app.ask("GET", "/ops/runs?limit=100")["data"]}
        assert newest == sorted(newest, key=lambda one: (one["created_at"], one["id"]), reverse=True)
        nothing = app.host.request("GET", "/ops/queues/other/dead-letters", headers=HEADERS)
        assert (nothing.status, nothing.json()["code"]) == (404, "unknown-queue")
        both = {"sequence_numbers": [1], "all": True}
        refused = app.host.request("POST", "/ops/queues/consolidate/dead-letters/resubmit", both, headers=HEADERS)
        assert refused.status == 400


def waiting_run(app: Any) -> str:
    """A full run in its pause, because some partitions have failed."""
    break_partitions(app)
    run = app.start("full")
    app.until(lambda: pauses(app))
    app.host.kill()
    app.host.start()
    assert pauses(app), "the pause outlives the host"
    return run


def pauses(app: Any) -> bool:
    return phases(app) == ["waiting for retries"]


WAITING = {"PARTIAL_SHARE": "0.01", "PARTIAL_WAIT_SECONDS": "900"}


async def test_a_run_that_waits_for_retries_goes_on_with_them(running: Any) -> None:
    async with running("--diamonds", "3000", **WAITING) as app:
        run = waiting_run(app)
        assert [mail["subject"] for mail in app.mails()] == [app.mails()[0]["subject"]]
        assert "partitions failed" in app.mails()[0]["subject"]
        body = {"run_id": run}
        refused = app.host.request("POST", "/api/v2/triggers/consolidate", body, headers=HEADERS)
        assert (refused.status, refused.json()["code"]) == (409, "run-in-progress")
        app.ask("POST", "/api/v2/triggers/retry-workers", body, status=202)
        whole = app.wait(run)["run"]
        assert (whole["status"], whole["consolidated"], whole["partitions_failed"]) == ("completed", 3000, 0), whole[
            "error"
        ]


async def test_a_run_that_waits_for_retries_can_be_told_to_go_on_without(running: Any) -> None:
    async with running("--diamonds", "3000", **WAITING) as app:
        run = waiting_run(app)
        app.ask("POST", "/api/v2/triggers/consolidate", {"run_id": run, "force": True}, status=202)
        part = app.wait(run)["run"]
        assert (part["status"], part["pending"], part["watermark_after"]) == ("partial", 0, None), part


async def test_a_run_that_waits_for_retries_can_be_cancelled(running: Any) -> None:
    async with running("--diamonds", "3000", **WAITING) as app:
        run = waiting_run(app)
        app.ask("POST", "/api/v2/triggers/cancel", {"run_id": run}, status=200)
        app.until(lambda: instances(app) == [], seconds=20)
        assert app.wait(run)["run"]["status"] == "cancelled"


async def test_the_timers_look_after_the_feeds(running: Any) -> None:
    async with running("--diamonds", "1000") as app:
        run = app.wait(app.start("full"))["run"]["run_id"]
        send(app, "poison")
        app.until(lambda: queue(app)["dead_letters"] == 1)
        with psycopg.connect(app.settings["POSTGRES_DSN"]) as connection:
            connection.execute("update diamonds.run_metadata set completed_at = completed_at - interval '40 days'")
            connection.execute(
                "update diamonds.raw_diamonds set consolidation_status = 'processing', claimed_by = 'w',"
                " claimed_at = now() - interval '1 hour' where supplier_stone_id in"
                " (select supplier_stone_id from diamonds.raw_diamonds limit 3)"
            )
        for timer in ("diamonds_hourly", "operations_hourly", "diamonds_purge"):
            answer = app.host.request("POST", f"/admin/functions/{timer}", {"input": ""})
            assert answer.status == 202, answer.body
        app.until(lambda: app.mails() != [] and not instances(app))
        assert [mail["subject"] for mail in app.mails()] == ["[Manifold] consolidate: one dead letter"]
        assert app.rows("select count(*) from diamonds.raw_diamonds where consolidation_status = 'pending'") == [(3,)]
        app.until(lambda: app.rows("select count(*) from diamonds.run_sightings") == [(0,)])
        shown = app.ask("GET", f"/api/v2/analytics/runs/{run}")
        assert (shown["run"]["consolidated"], shown["partitions"]) == (1000, [])
